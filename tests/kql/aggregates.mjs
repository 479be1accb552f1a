// The aggregates that the queries use. Each takes the group's rows and, for each
// argument, a function of the row.
import { compare, key } from './values.mjs';

function best(values, sign) {
  const some = values.filter((v) => v !== null);
  return some.length === 0 ? null : some.reduce((a, b) => (sign * compare(b, a) > 0 ? b : a));
}

function set(values) {
  const found = new Map();
  for (const v of values) if (v !== null && !found.has(key(v))) found.set(key(v), v);
  return [...found.values()];
}

export const aggregates = {
  count: (rows) => rows.length,
  countif: (rows, when) => rows.filter((row) => when(row) === true).length,
  min: (rows, of) => best(rows.map(of), -1),
  max: (rows, of) => best(rows.map(of), 1),
  maxif: (rows, of, when) => best(rows.filter((row) => when(row) === true).map(of), 1),
  make_set: (rows, of) => set(rows.map(of)),
  make_set_if: (rows, of, when) => set(rows.filter((row) => when(row) === true).map(of)),
};

// argMax is the row where the value is largest. Kusto doesn't say which of two
// equal ones that is; no query may depend on it.
export function argMax(rows, of) {
  return rows.reduce((a, b) => (compare(of(b), of(a)) > 0 ? b : a));
}
