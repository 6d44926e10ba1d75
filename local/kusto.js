// Queries on standard input -> what Microsoft's own parser says of each: {tables: {name: {column: type}}, queries: {name: text}} as JSON.
// Answers {name: {problems: [sentence], columns: [name], tables: [name]}}: the columns are those of the result.
'use strict';

require('@kusto/language-service-next/bridge.js');
require('@kusto/language-service-next/Kusto.Language.Bridge.js');

const { KustoCode, GlobalState, Symbols } = Kusto.Language;

function list(found) {
  return Array.from({ length: found.Count }, (_, n) => found.getItem(n));
}

function table(name, columns) {
  const types = Object.entries(columns).map(([column, type]) => `${column}:${type}`);
  return Symbols.TableSymbol.From(`(${types.join(', ')})`).WithName(name);
}

const { tables, queries } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const known = Object.entries(tables).map(([name, columns]) => table(name, columns));
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('logs', known));
const answers = {};
for (const [name, text] of Object.entries(queries)) {
  const code = KustoCode.ParseAndAnalyze(text, globals);
  answers[name] = {
    problems: list(code.GetDiagnostics()).map((found) => `${found.Severity}: ${found.Message} (at ${found.Start}: ${text.substr(found.Start, found.Length)})`),
    columns: code.ResultType && code.ResultType.Columns ? list(code.ResultType.Columns).map((column) => column.Name) : [],
  };
}
process.stdout.write(JSON.stringify(answers));
