// Microsoft's parser and binder of KQL, which also runs in their editors.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { runInThisContext } from 'node:vm';

const folder = dirname(createRequire(import.meta.url).resolve('@kusto/language-service-next'));
for (const file of ['bridge.min.js', 'Kusto.Language.Bridge.min.js']) { // scripts for a browser: they define Kusto
  runInThisContext(readFileSync(join(folder, file), 'utf8'), { filename: file });
}
const { Symbols, Syntax, KustoCode, GlobalState } = globalThis.Kusto.Language;

const types = { string: 'String', datetime: 'DateTime', int: 'Int', long: 'Long', real: 'Real', dynamic: 'Dynamic' };

function table(name, columns) {
  const made = Object.entries(columns).map(([column, type]) => {
    if (!types[type]) throw new Error(`no type ${type}`);
    return new Symbols.ColumnSymbol(column, Symbols.ScalarTypes[types[type]], null, null, null, null);
  });
  return new Symbols.TableSymbol.$ctor4(name, made);
}

const done = new Map(); // an analysis takes half a second

// analyse parses the text and binds it against the tables.
export function analyse(text, schema) {
  const key = JSON.stringify([text, schema]);
  if (!done.has(key)) done.set(key, analyseOnce(text, schema));
  return done.get(key);
}

function analyseOnce(text, schema) {
  const tables = Object.entries(schema).map(([name, columns]) => table(name, columns));
  const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('workspace', tables));
  const code = KustoCode.ParseAndAnalyze(text, globals);
  return { root: code.Syntax, diagnostics: diagnostics(text, code), columns: columns(code.ResultType) };
}

// Warnings count too: a table that isn't there is no more than that under isfuzzy.
function diagnostics(text, code) {
  const all = code.GetDiagnostics();
  return Array.from({ length: all.Count }, (_, i) => {
    const d = all.getItem(i);
    const line = text.slice(0, d.Start).split('\n').length;
    return `line ${line}: ${d.Code} ${d.Message}`;
  });
}

function columns(result) {
  const all = result?.Columns;
  if (!all) return [];
  return Array.from({ length: all.Count }, (_, i) => ({ name: all.getItem(i).Name, type: all.getItem(i).Type.Name }));
}

const kinds = Object.fromEntries(Object.entries(Syntax.SyntaxKind).filter(([, v]) => typeof v === 'number').map(([k, v]) => [v, k]));

// kind is what a node is, such as "FilterOperator".
export const kind = (node) => kinds[node.Kind];

// items are the elements of a list, without what separates them.
export function items(list) {
  if (!list) return [];
  return Array.from({ length: list.ChildCount }, (_, i) => {
    const child = list.GetChild(i);
    return kind(child) === 'SeparatedElement' ? child.GetChild(0) : child;
  });
}

// words is the node's own text.
export const words = (node) => node.toString(Syntax.IncludeTrivia.Minimal).trim();
