/**
 * `npm run connectors`: writes docs/connectors.md from the catalogue itself and from what the contract tests say they
 * checked. A test holds that the file is what this would write.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { catalogue, loadConnector } from '../src/connectors/catalogue.js';
import type { ConnectorDefinition, FunctionDefinition, Risk } from '../src/connectors/framework.js';
import { SAMPLE_CONFIGS } from '../test/fixtures/connectors/configs.js';
import { projectFolder } from './project-folder.js';

interface Verified {
  readonly against: string;
  readonly checked: readonly string[];
  readonly live?: { readonly against: string; readonly functions: readonly string[] };
  readonly unchecked?: Readonly<Record<string, string>>;
}

const RISK_NAMES: Record<Risk, string> = { read: 'read', write: 'write', destructive: 'destructive' };

/** The whole of docs/connectors.md. */
export async function connectorsDocument(): Promise<string> {
  const connectors = await Promise.all(catalogue.map(({ id }) => loadConnector(id)));
  return [
    '# Connectors',
    '',
    'Written by `npm run connectors` from the code; a test holds that it is up to date. “Checked against” names what',
    'each outgoing request was compared with, field by field; “live” what the function ran against from end to end.',
    'Nothing here was ever run against a vendor’s own servers.',
    '',
    '“default”: *runs directly*, *asks*, or *off* (turned on, it asks); *every time*: no grant and no limit skips the',
    'question. “or less”: harmless arguments lower the risk. “repeats”: *natural*, the same call ends in the same state;',
    '*key*, the system drops repeats of our id; *reconcile* and *findable*, a lost answer can be looked for. “target”:',
    '*read*, shown and read again before the write; *If-Match*, the write itself checks it.',
    '',
    'Of a REST API each imported operation (500 at most) is a function besides: GET and HEAD run directly, POST, PUT and',
    'PATCH ask, DELETE is destructive and asks. Of an MCP server each tool is one: all ask, until an admin trusts the',
    'server’s annotations.',
    '',
    '| connector | identity | signs in with | read | write | destructive | checked against | live |',
    '| --- | --- | --- | ---: | ---: | ---: | --- | --- |',
    ...connectors.map(overviewRow),
    ...connectors.flatMap(details),
    '',
  ].join('\n');
}

function overviewRow(connector: ConnectorDefinition): string {
  const functions = functionsOf(connector);
  const count = (risk: Risk) => functions.filter((fn) => fn.risk === risk).length || '–';
  const verified = verifiedOf(connector.id);
  const auth = connector.auth.map(({ title, identities }) => {
    const only = identities?.length === 1 && connector.identities.length > 1 ? ` (${identities[0]})` : '';
    return title + only;
  });
  const checked = verified?.checked.length ? `${verified.against}: ${verified.checked.length}` : '–';
  const live = verified?.live ? `${verified.live.against}: ${verified.live.functions.length}` : '–';
  const cells = [
    `[${connector.title}](#${connector.title.toLowerCase().replace(/[^a-z0-9]+/g, '-')})`,
    connector.identities.join(', '),
    auth.join(', '),
    count('read'),
    count('write'),
    count('destructive'),
    checked,
    live,
  ];
  return `| ${cells.join(' | ')} |`;
}

function details(connector: ConnectorDefinition): string[] {
  const verified = verifiedOf(connector.id);
  const functions = functionsOf(connector);
  const unchecked = Object.entries(verified?.unchecked ?? {});
  return [
    '',
    `## ${connector.title}`,
    '',
    connector.description,
    ...(connector.notice === undefined ? [] : ['', `> ${connector.notice}`]),
    '',
    ...(functions.length === 0
      ? ['Its functions are those of the document or server that an admin picks from.']
      : [
          '| function | risk | default | repeats | target | checked | live |',
          '| --- | --- | --- | --- | --- | --- | --- |',
          ...functions.map((fn) => functionRow(fn, verified)),
        ]),
    ...(unchecked.length === 0
      ? []
      : ['', 'Without an independent check:', ...unchecked.map(([name, why]) => `- \`${name}\`: ${why}`)]),
  ];
}

function functionRow(fn: FunctionDefinition, verified: Verified | null): string {
  const byDefault = { auto: 'runs directly', ask: 'asks', off: 'off' }[fn.approval];
  const budget = fn.budgetPerHour === undefined ? '' : `, ${fn.budgetPerHour} an hour`;
  const risk = RISK_NAMES[fn.risk] + (fn.riskOf ? ' or less' : '');
  const cells = [
    `\`${fn.name}\``,
    risk,
    `${byDefault}${budget}${fn.askEveryTime ? ', every time' : ''}`,
    fn.risk === 'read'
      ? ''
      : fn.idempotency + (fn.reconcile && fn.idempotency !== 'reconcile' ? ', findable' : ''),
    targetOf(fn),
    verified?.checked.includes(fn.name) ? '✓' : '',
    verified?.live?.functions.includes(fn.name) ? '✓' : '',
  ];
  return `| ${cells.join(' | ')} |`;
}

function targetOf({ risk, observe }: FunctionDefinition): string {
  if (risk === 'read' || !observe) return '';
  if ('none' in observe) return 'none';
  return observe.condition === null ? 'read' : `read, ${observe.condition}`;
}

function functionsOf(connector: ConnectorDefinition): readonly FunctionDefinition[] {
  return connector.functions(SAMPLE_CONFIGS[connector.id] ?? {});
}

function verifiedOf(id: string): Verified | null {
  const path = join(projectFolder(), 'test', 'contract', 'verified', `${id}.json`);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Verified) : null;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const path = join(projectFolder(), 'docs', 'connectors.md');
  writeFileSync(path, await connectorsDocument());
  console.log('docs/connectors.md');
}
