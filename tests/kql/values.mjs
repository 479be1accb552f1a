// Values: long, int and real are numbers; texts, truths and dynamic values are
// JavaScript's; an instant and a span count ticks of 100 ns. null is no value.
export class Instant {
  constructor(ticks) { this.ticks = ticks; }
}

export class Span {
  constructor(ticks) { this.ticks = ticks; }
}

const second = 10_000_000n;
const units = { d: 86400n * second, h: 3600n * second, m: 60n * second, s: second, ms: second / 1000n };

export function span(literal) {
  const [, n, unit] = /^(\d+)(ms|d|h|m|s)$/.exec(literal) ?? [];
  if (!unit) throw new Error(`unknown timespan ${literal}`);
  return new Span(BigInt(n) * units[unit]);
}

// instant reads RFC 3339 in UTC; what is finer than a tick is cut off.
export function instant(text) {
  const [, whole, fraction = ''] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/.exec(text) ?? [];
  if (!whole) throw new Error(`not a time: ${text}`);
  return new Instant(BigInt(Date.parse(`${whole}Z`)) * units.ms + BigInt(fraction.padEnd(7, '0').slice(0, 7)));
}

export const fromMilliseconds = (n) => (n === null ? null : new Instant(BigInt(n) * units.ms));

export function written(value) {
  if (!(value instanceof Instant)) return value;
  const whole = new Date(Number(value.ticks / second) * 1000).toISOString().slice(0, 19);
  return `${whole}.${String(value.ticks % second).padStart(7, '0')}Z`;
}

export const timed = (v) => v instanceof Instant || v instanceof Span;

// compare orders two values of one type; another pair is a fault of the query.
export function compare(a, b) {
  const [x, y] = timed(a) && timed(b) && a.constructor === b.constructor ? [a.ticks, b.ticks] : [a, b];
  if (typeof x !== typeof y || typeof x === 'object') throw new Error(`can't compare ${typeof a} with ${typeof b}`);
  return x < y ? -1 : x > y ? 1 : 0;
}

// text is tostring(): of null the empty one, of a list or bag its JSON.
export function text(v) {
  if (v === null) return '';
  if (timed(v)) throw new Error('tostring of a time is not known here');
  return typeof v === 'object' ? JSON.stringify(v) : String(v);
}

// key tells whether two values are one for grouping.
export const key = (v) => (timed(v) ? `t${v.ticks}` : JSON.stringify(v));

// fits tells whether a value may stand in a column of the type that the binder found.
export function fits(v, type) {
  switch (type) {
    case 'string': return typeof v === 'string';
    case 'datetime': return v === null || v instanceof Instant;
    case 'int': case 'long': return v === null || Number.isSafeInteger(v);
    case 'real': return v === null || typeof v === 'number';
    case 'bool': return v === null || typeof v === 'boolean';
    case 'dynamic': return !timed(v);
    default: return false;
  }
}
