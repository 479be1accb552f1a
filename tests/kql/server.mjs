// Answers one JSON line with one: what the binder says of a query, and what the
// query says of some tables.
//
//   { text, schema: { Table: { column: type } } }           → { diagnostics, columns }
//   { …, tables: { Table: [{ column: value }] }, now, other } → { …, rows }
import { createInterface } from 'node:readline';

import { analyse } from './language.mjs';
import { run } from './tabular.mjs';
import { fits, instant, written } from './values.mjs';

// read makes the rows' values those of the columns' types.
function read(rows, columns) {
  const empty = { string: '' };
  const value = (v, type) => (v === undefined || v === null ? empty[type] ?? null : type === 'datetime' ? instant(v) : v);
  return {
    columns: Object.keys(columns),
    rows: rows.map((row) => Object.fromEntries(Object.entries(columns).map(([name, type]) => [name, value(row[name], type)]))),
  };
}

function answer({ text, schema, tables, now, other }) {
  const { root, diagnostics, columns } = analyse(text, schema);
  if (!tables || diagnostics.length > 0) return { diagnostics, columns };
  const given = Object.fromEntries(Object.entries(tables).map(([name, rows]) => [name, read(rows, schema[name])]));
  const result = run(root, given, now, other);
  const [got, want] = [result.columns.join(), columns.map((c) => c.name).join()];
  if (got !== want) throw new Error(`columns are ${got}; by the binder they are ${want}`);
  for (const row of result.rows) {
    for (const { name, type } of columns) if (!fits(row[name], type)) throw new Error(`${name} is no ${type}: ${JSON.stringify(row[name])}`);
  }
  return { diagnostics, columns, rows: result.rows.map((row) => Object.fromEntries(columns.map(({ name }) => [name, written(row[name])]))) };
}

for await (const line of createInterface({ input: process.stdin })) {
  let said;
  try {
    said = answer(JSON.parse(line));
  } catch (e) {
    said = { error: e.stack.split("\n").slice(0,5).join("\n") };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
