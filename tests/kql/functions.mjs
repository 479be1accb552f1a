// The scalar functions that the queries use, as Kusto's reference describes them.
import { isIPv4, isIPv6 } from 'node:net';

import { compare, fromMilliseconds, text } from './values.mjs';

const empty = (v) => v === null || v === '';

function whole(v) {
  if (v === null || v === '' || typeof v === 'object') return null;
  const n = Math.trunc(Number(v));
  return Number.isNaN(n) ? null : n;
}

function json(v) {
  if (typeof v !== 'string') return v;
  try {
    return JSON.parse(v);
  } catch {
    return v; // a text that is no JSON is itself
  }
}

const number4 = (s) => s.split('.').reduce((n, part) => n * 256n + BigInt(part), 0n);

// groups6 are the eight groups of an IPv6 address.
function groups6(s) {
  const tail = /(\d+\.\d+\.\d+\.\d+)$/.exec(s);
  if (tail) {
    const n = number4(tail[1]);
    s = `${s.slice(0, tail.index)}${(n >> 16n).toString(16)}:${(n & 0xffffn).toString(16)}`;
  }
  const [front, back] = s.split('::').map((half) => half.split(':').filter(Boolean));
  const zeros = Array(8 - front.length - (back?.length ?? 0)).fill('0');
  return [...front, ...zeros, ...(back ?? [])].map((group) => parseInt(group, 16));
}

function mask6(s, bits) {
  if (!isIPv6(s)) throw new Error(`parse_ipv6_mask of ${s} is not known here`);
  return groups6(s).map((group, i) => {
    const kept = Math.min(Math.max(bits - 16 * i, 0), 16);
    return (group & (0xffff << (16 - kept)) & 0xffff).toString(16).padStart(4, '0');
  }).join(':');
}

function mask4(s, bits) {
  if (!isIPv4(s)) return '';
  const n = number4(s) >> BigInt(32 - bits) << BigInt(32 - bits);
  return `${[24n, 16n, 8n, 0n].map((shift) => (n >> shift) & 255n).join('.')}/${bits}`;
}

function sorted(list) {
  return list === null ? null : [...list].sort(compare);
}

export const functions = {
  tostring: text,
  toint: whole,
  tolong: whole,
  parse_json: json,
  isnotempty: (v) => !empty(v),
  isempty: empty,
  isnull: (v) => v === null,
  isnotnull: (v) => v !== null,
  strcat: (...parts) => parts.map(text).join(''),
  split: (s, by) => s.split(by),
  min_of: (...all) => all.reduce((a, b) => (compare(b, a) < 0 ? b : a)),
  array_length: (list) => (Array.isArray(list) ? list.length : null),
  array_sort_asc: sorted,
  parse_ipv4: (s) => (isIPv4(s) ? Number(number4(s)) : null),
  format_ipv4_mask: mask4,
  parse_ipv6_mask: mask6,
  unixtime_milliseconds_todatetime: fromMilliseconds,
};
