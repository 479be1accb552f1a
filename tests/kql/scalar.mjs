// Expressions, by the nodes of Microsoft's syntax tree. What isn't known here is a
// fault, never a guess.
import { aggregates } from './aggregates.mjs';
import { functions } from './functions.mjs';
import { items, kind, words } from './language.mjs';
import { Instant, Span, compare, key, span, text, timed } from './values.mjs';

// A scope has names (what `let` said), now, and in an expression the row, or the
// rows of a group.
export function scalar(node, scope) {
  const of = nodes[kind(node)];
  if (!of) throw new Error(`unknown expression ${kind(node)}: ${words(node)}`);
  return of(node, scope);
}

export function lookup(scope, name) {
  for (let s = scope; s; s = s.outer) if (s.names.has(name)) return s.names.get(name);
  return undefined;
}

function name(node, scope) {
  const n = node.SimpleName;
  if (scope.row && Object.hasOwn(scope.row, n)) return scope.row[n];
  const said = lookup(scope, n);
  if (said === undefined || said.function || said.rows) throw new Error(`unknown name ${n}`);
  return said.value;
}

// inside is access to a part of a dynamic value; what isn't there is null.
function inside(of, at) {
  if (of === null || typeof of !== 'object') return null;
  if (Array.isArray(of) !== (typeof at === 'number')) return null;
  return Object.hasOwn(of, at) ? of[at] : null;
}

function call(node, scope) {
  const called = node.Name.SimpleName;
  const args = items(node.ArgumentList.Expressions);
  if (aggregates[called]) {
    if (!scope.rows) throw new Error(`${called} outside summarize`);
    return aggregates[called](scope.rows, ...args.map((arg) => (row) => scalar(arg, { ...scope, rows: undefined, row })));
  }
  const own = lookup(scope, called);
  if (own?.function) return scalar(own.function.Body.Expression, invoked(own, args.map((arg) => scalar(arg, scope)), scope));
  if (called === 'now') return scope.now;
  if (called === 'iff' || called === 'case') return choice(args, scope);
  if (!Object.hasOwn(functions, called)) throw new Error(`unknown function ${called}`);
  return functions[called](...args.map((arg) => scalar(arg, scope)));
}

// invoked is the scope of a function's body.
export function invoked(own, args, scope) {
  const names = new Map();
  items(own.function.Parameters.Parameters).forEach((p, i) => names.set(p.NameAndType.Name.SimpleName, { value: args[i] }));
  return { names, outer: own.scope, now: scope.now };
}

function choice(args, scope) {
  for (let i = 0; i + 1 < args.length; i += 2) if (scalar(args[i], scope) === true) return scalar(args[i + 1], scope);
  return scalar(args.at(-1), scope);
}

const pair = (of) => (node, scope) => of(scalar(node.Left, scope), scalar(node.Right, scope), node);

// Kusto's null: equal to nothing, unequal to every value, in no order.
const equal = pair((a, b) => (a === null && b === null ? null : a === null || b === null ? false : compare(a, b) === 0));
const unequal = pair((a, b) => (a === null && b === null ? null : a === null || b === null ? true : compare(a, b) !== 0));
const ordered = (holds) => pair((a, b) => (a === null || b === null ? null : holds(compare(a, b))));

function sum(sign) {
  return pair((a, b) => {
    if (a === null || b === null) return null;
    if (!timed(a) && !timed(b)) return a + sign * b;
    const ticks = a.ticks + BigInt(sign) * b.ticks;
    return a instanceof Instant === b instanceof Instant ? new Span(ticks) : new Instant(ticks);
  });
}

function product(a, b) {
  if (a === null || b === null) return null;
  if (timed(a) || timed(b)) return new Span(BigInt(timed(a) ? b : a) * (timed(a) ? a : b).ticks);
  return a * b;
}

function quotient(a, b, node) {
  if (kind(node.Right) !== 'RealLiteralExpression') throw new Error('of whole numbers Kusto divides otherwise');
  return a / b;
}

const letter = /[a-z0-9]/;

// has finds whole terms, whatever their case.
function has(where, what) {
  const all = text(where).toLowerCase();
  const term = what.toLowerCase();
  for (let at = all.indexOf(term); at >= 0; at = all.indexOf(term, at + 1)) {
    if (!letter.test(all[at - 1] ?? ' ') && !letter.test(all[at + term.length] ?? ' ')) return true;
  }
  return false;
}

const plain = (node) => JSON.parse(words(node));

const nodes = {
  NameReference: name,
  ParenthesizedExpression: (node, scope) => scalar(node.Expression, scope),
  BracketedExpression: (node, scope) => scalar(node.Expression, scope),
  PathExpression: (node, scope) => inside(scalar(node.Expression, scope), node.Selector.SimpleName),
  ElementExpression: (node, scope) => inside(scalar(node.Expression, scope), scalar(node.Selector, scope)),
  FunctionCallExpression: call,
  SimpleNamedExpression: (node, scope) => scalar(node.Expression, scope),
  DynamicExpression: (node) => plain(node.Expression),
  StringLiteralExpression: (node) => node.LiteralValue,
  BooleanLiteralExpression: (node) => words(node) === 'true',
  LongLiteralExpression: (node) => Number(words(node)),
  RealLiteralExpression: (node) => Number(words(node)),
  TimespanLiteralExpression: (node) => span(words(node)),
  AddExpression: sum(1),
  SubtractExpression: sum(-1),
  MultiplyExpression: pair(product),
  DivideExpression: pair(quotient),
  EqualExpression: equal,
  NotEqualExpression: unequal,
  GreaterThanExpression: ordered((c) => c > 0),
  GreaterThanOrEqualExpression: ordered((c) => c >= 0),
  LessThanExpression: ordered((c) => c < 0),
  LessThanOrEqualExpression: ordered((c) => c <= 0),
  AndExpression: pair((a, b) => (a === false || b === false ? false : a === null || b === null ? null : true)),
  OrExpression: pair((a, b) => (a === true || b === true ? true : a === null || b === null ? null : false)),
  InExpression: (node, scope) => {
    const v = scalar(node.Left, scope);
    return v !== null && items(node.Right.Expressions).some((of) => key(scalar(of, scope)) === key(v));
  },
  ContainsExpression: pair((a, b) => text(a).toLowerCase().includes(b.toLowerCase())),
  StartsWithCsExpression: pair((a, b) => text(a).startsWith(b)),
  HasExpression: pair(has),
};
