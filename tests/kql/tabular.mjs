// Tables and the operators on them. A table is a list of columns and of rows.
import { argMax } from './aggregates.mjs';
import { compare, instant, key } from './values.mjs';
import { invoked, lookup, scalar } from './scalar.mjs';
import { items, kind, words } from './language.mjs';

class NoTable extends Error {}

// run evaluates a query: its `let` statements, then its one expression. Of what
// Kusto's reference leaves open, other takes the other reading.
export function run(root, tables, now, other) {
  const scope = { names: new Map(), tables, other, now: instant(now) };
  let result;
  for (const statement of items(root.Statements)) {
    if (kind(statement) === 'LetStatement') scope.names.set(statement.Name.SimpleName, said(statement.Expression, scope));
    else result = table(statement.Expression, scope);
  }
  return result;
}

// said is what a name of `let` stands for: a function, a table or a value.
function said(node, scope) {
  if (kind(node) === 'FunctionDeclaration') return { function: node, scope };
  return node.ResultType.Columns ? table(node, scope) : { value: scalar(node, scope) };
}

function table(node, scope, input) {
  const of = operators[kind(node)];
  if (!of) throw new Error(`unknown operator ${kind(node)}: ${words(node)}`);
  return of(node, scope, input);
}

function reference(node, scope) {
  const known = lookup(scope, node.SimpleName);
  if (known?.rows) return known;
  return outermost(scope).tables[node.SimpleName] ?? missing(node.SimpleName);
}

const outermost = (scope) => (scope.outer ? outermost(scope.outer) : scope);

function missing(name) {
  throw new NoTable(`no table ${name}`);
}

function call(node, scope) {
  const own = lookup(scope, node.Name.SimpleName);
  if (!own?.function) throw new Error(`unknown function ${node.Name.SimpleName}`);
  return table(own.function.Body.Expression, invoked(own, items(node.ArgumentList.Expressions).map((arg) => scalar(arg, scope)), scope));
}

const parameter = (node, name) => {
  const found = items(node.Parameters).find((p) => p.Name.SimpleName === name);
  return found && words(found.Expression);
};

// title is the name of a column that an expression makes.
function title(node) {
  if (kind(node) === 'SimpleNamedExpression') return node.Name.SimpleName;
  if (kind(node) === 'NameReference') return node.SimpleName;
  throw new Error(`name the column: ${words(node)}`);
}

const nothing = new Map();
const within = (scope, row) => ({ names: nothing, outer: scope, now: scope.now, row });

function columnsOf(list, scope, row) {
  return Object.fromEntries(list.map((node) => [title(node), scalar(node, within(scope, row))]));
}

function extend(node, scope, input) {
  const list = items(node.Expressions);
  return {
    columns: [...new Set([...input.columns, ...list.map(title)])],
    rows: input.rows.map((row) => ({ ...row, ...columnsOf(list, scope, row) })),
  };
}

function project(node, scope, input) {
  const list = items(node.Expressions);
  return { columns: list.map(title), rows: input.rows.map((row) => columnsOf(list, scope, row)) };
}

function distinct(node, scope, input) {
  const made = project(node, scope, input);
  return { columns: made.columns, rows: [...groups(made.rows, made.columns).values()].map(([row]) => row) };
}

function groups(rows, by) {
  const found = new Map();
  for (const row of rows) {
    const k = by.map((column) => key(row[column])).join();
    if (!found.has(k)) found.set(k, []);
    found.get(k).push(row);
  }
  return found;
}

function summarize(node, scope, input) {
  const by = items(node.ByClause.Expressions);
  const names = by.map(title);
  const aggregates = items(node.Aggregates);
  let columns = names;
  const marked = input.rows.map((row) => ({ row, ...columnsOf(by, scope, row) }));
  const rows = [...groups(marked, names).values()].map((group) => {
    const out = Object.fromEntries(names.map((name) => [name, group[0][name]]));
    for (const a of aggregates) Object.assign(out, aggregate(a, scope, group.map((g) => g.row), names));
    return out;
  });
  columns = [...names, ...aggregates.flatMap((a) => (most(a) ? mostColumns(a, input, names) : [title(a)]))];
  return { columns, rows };
}

const most = (node) => kind(node) === 'FunctionCallExpression' && node.Name.SimpleName === 'arg_max';

function mostColumns(node, input, by) {
  const [of, ...rest] = items(node.ArgumentList.Expressions);
  if (rest.some((n) => kind(n) === 'StarExpression')) return [title(of), ...input.columns.filter((c) => c !== title(of) && !by.includes(c))];
  return [title(of), ...rest.map(title)];
}

function aggregate(node, scope, rows, by) {
  if (!most(node)) return { [title(node)]: scalar(node, { ...within(scope), rows }) };
  const row = argMax(rows, (r) => scalar(items(node.ArgumentList.Expressions)[0], within(scope, r)));
  return Object.fromEntries(mostColumns(node, { columns: Object.keys(row) }, by).map((c) => [c, row[c]]));
}

// expand makes one row of each element. Whether a row without any stays, with none,
// is open.
function expand(node, scope, input) {
  const [one, ...more] = items(node.Expressions);
  if (more.length > 0 || (one.ToTypeOf && words(one.ToTypeOf) !== 'to typeof(string)')) throw new Error(`unknown mv-expand: ${words(node)}`);
  const cast = (element) => (!one.ToTypeOf || typeof element === 'string' ? element : ''); // not converted
  const name = title(one.Expression);
  const rows = input.rows.flatMap((row) => {
    const v = scalar(one.Expression, within(scope, row));
    if (v !== null && !Array.isArray(v) && typeof v === 'object') throw new Error(`mv-expand of a bag is not known here: ${words(node)}`);
    const none = v === null || v.length === 0;
    if (none && outermost(scope).other) return [];
    const list = none ? [null] : [v].flat();
    return list.map((element) => ({ ...row, [name]: cast(element) }));
  });
  return { columns: [...new Set([...input.columns, name])], rows };
}

function union(node, scope, input) {
  const legs = input ? [input] : [];
  for (const leg of items(node.Expressions)) {
    try {
      legs.push(table(leg, scope));
    } catch (e) {
      if (!(e instanceof NoTable && parameter(node, 'isfuzzy') === 'true')) throw e;
    }
  }
  const { columns } = legs[0];
  for (const leg of legs) {
    if ([...leg.columns].sort().join() !== [...columns].sort().join()) throw new Error(`legs of union differ: ${columns} and ${leg.columns}`);
  }
  return { columns, rows: legs.flatMap((leg) => leg.rows) };
}

function join(node, scope, left) {
  const right = table(node.Expression, scope);
  const on = items(node.ConditionClause.Expressions).map(title);
  const found = groups(right.rows, on);
  const partners = (row) => found.get(on.map((c) => key(row[c])).join()) ?? [];
  const how = parameter(node, 'kind');
  if (how === 'leftanti') return { columns: left.columns, rows: left.rows.filter((row) => partners(row).length === 0) };
  if (how !== 'inner' && how !== 'leftouter') throw new Error(`unknown join ${how}`);
  const renamed = right.columns.map((c) => [c, left.columns.includes(c) ? `${c}1` : c]);
  const rows = left.rows.flatMap((row) => {
    const with_ = partners(row);
    const others = with_.length === 0 && how === 'leftouter' ? [null] : with_;
    return others.map((o) => ({ ...row, ...Object.fromEntries(renamed.map(([c, as]) => [as, o && o[c]])) }));
  });
  return { columns: [...left.columns, ...renamed.map(([, as]) => as)], rows };
}

function sort(node, scope, input) {
  const by = items(node.Expressions).map((o) => {
    const up = words(o.Ordering.AscOrDescKeyword);
    return { of: o.Expression, sign: up === 'asc' ? 1 : -1 };
  });
  const order = (a, b) => {
    for (const { of, sign } of by) {
      const c = compare(scalar(of, within(scope, a)), scalar(of, within(scope, b)));
      if (c !== 0) return sign * c;
    }
    return 0;
  };
  return { columns: input.columns, rows: [...input.rows].sort(order) };
}

function datatable(node) {
  if (items(node.Values).length > 0) throw new Error('only an empty datatable is known here');
  return { columns: items(node.Schema.Columns).map((c) => c.Name.SimpleName), rows: [] };
}

const operators = {
  NameReference: reference,
  FunctionCallExpression: call,
  ParenthesizedExpression: (node, scope) => table(node.Expression, scope),
  MaterializeExpression: (node, scope) => table(node.Expression, scope), // it only says that it is made once
  PipeExpression: (node, scope) => table(node.Operator, scope, table(node.Expression, scope)),
  FilterOperator: (node, scope, input) => ({ ...input, rows: input.rows.filter((row) => scalar(node.Condition, within(scope, row)) === true) }),
  ExtendOperator: extend,
  ProjectOperator: project,
  DistinctOperator: distinct,
  SummarizeOperator: summarize,
  MvExpandOperator: expand,
  UnionOperator: union,
  JoinOperator: join,
  SortOperator: sort,
  PrintOperator: (node, scope) => project(node, scope, { columns: [], rows: [{}] }),
  DataTableExpression: datatable,
};
