/** What a person is told about functions that were read again. */
import { describe, expect, it } from 'vitest';
import type { FunctionDefinition } from '../../src/connectors/framework.js';
import { importOpenApi, restConnector } from '../../src/connectors/rest/index.js';
import { definitionChanges } from '../../src/services/definition-changes.js';

const ok = { 200: { description: 'ok' } };
const query = (name: string, more: object = {}) => ({
  name,
  in: 'query',
  schema: { type: 'string' },
  ...more,
});

async function functionsOf(paths: object): Promise<readonly FunctionDefinition[]> {
  const document = { openapi: '3.1.0', info: { title: 'Shop', version: '1' }, paths };
  const { operations } = await importOpenApi(JSON.stringify(document));
  const config = { base_url: 'https://shop.example.com/v1', operations };
  return restConnector.functions(JSON.parse(JSON.stringify(config)));
}

const operation = (operationId: string, more: object = {}) => ({ operationId, responses: ok, ...more });

describe('functions that were read again', () => {
  it('are told apart: as before, changed, gone, new', async () => {
    const before = await functionsOf({
      '/a': { get: operation('same') },
      '/b': { get: operation('moved', { parameters: [query('q'), query('old')] }) },
      '/c': { delete: operation('gone') },
    });
    const after = await functionsOf({
      '/a': { get: operation('same', { summary: 'In other words', description: 'At length.' }) },
      '/d': {
        put: operation('moved', {
          parameters: [query('q', { required: true, schema: { type: 'integer' } }), query('new')],
        }),
      },
      '/e': { get: operation('fresh') },
    });
    const changes = definitionChanges(before, after, ['moved', 'same', 'gone']);
    expect(changes).toEqual({
      unchanged: ['same', 'http_request'],
      changed: [
        {
          name: 'moved',
          title: 'Moved',
          risk: 'write',
          enabled: true,
          what: [
            'method: GET → PUT',
            'path: /v1/b → /v1/d',
            'risk: read → write',
            'approval: auto → ask',
            'new inputs: new',
            'inputs gone: old',
            'changed inputs: q',
            'required now: q',
          ],
        },
      ],
      removed: [{ name: 'gone', title: 'Gone', risk: 'destructive', enabled: true, what: [] }],
      added: [{ name: 'fresh', title: 'Fresh', risk: 'read' }],
    });
  });

  it('never change without words, whatever changed', async () => {
    const styled = (more: object) =>
      functionsOf({ '/a': { get: operation('list', { parameters: [query('q', more)] }) } });
    const array = { schema: { type: 'array', items: {} } };
    const sent = definitionChanges(await styled(array), await styled({ ...array, explode: false }), []);
    expect(sent.changed).toMatchObject([{ enabled: false, what: ['how its arguments are sent'] }]);
    const [fn] = await styled({});
    if (!fn) throw new Error('no function');
    const strict = {
      ...fn,
      input: { ...fn.input, jsonSchema: { ...fn.input.jsonSchema, minProperties: 1 } },
    };
    expect(definitionChanges([fn], [strict], []).changed[0]?.what).toEqual(['rules for its inputs']);
  });

  it('name a few of many inputs', async () => {
    const before = await functionsOf({ '/a': { get: operation('list') } });
    const parameters = Array.from({ length: 9 }, (_, at) => query(`p${at}`));
    const after = await functionsOf({ '/a': { get: operation('list', { parameters }) } });
    expect(definitionChanges(before, after, []).changed[0]?.what).toEqual([
      'new inputs: p0, p1, p2, p3, p4 and 4 more',
    ]);
  });
});
