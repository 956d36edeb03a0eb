import { describe, expect, it } from 'vitest';
import type { Arguments } from '../../src/connectors/framework.js';
import { hubspotConnector } from '../../src/connectors/hubspot/index.js';
import type { Answer } from '../contract/recorder.js';
import { withSecret } from './call-context.js';
import { standIn } from './stand-in.js';

const ALL = { object_types: 'contacts, companies, deals, tickets, notes, tasks, calls, meetings, leads' };
const functions = hubspotConnector.functions(ALL);
const hubspot = standIn({ functions, config: ALL });
const { fn, run } = hubspot;

describe('what HubSpot says', () => {
  const error = (category: string, message: string, more: object = {}) => ({
    status: 'error',
    message,
    correlationId: 'c',
    category,
    ...more,
  });
  const scopes = {
    errors: [
      {
        message: 'One or more of the following scopes are required.',
        context: { requiredGranularScopes: ['crm.objects.contacts.write'] },
      },
    ],
  };
  it.each<[string, Answer, object]>([
    [
      'values it refuses',
      { status: 400, body: error('VALIDATION_ERROR', 'Property values were not valid') },
      {
        code: 'upstream_rejected',
        definite: true,
        message: expect.stringContaining('Property values were not valid'),
      },
    ],
    [
      'a record that is not there',
      { status: 404, body: error('OBJECT_NOT_FOUND', 'resource not found') },
      { code: 'upstream_rejected', definite: true, status: 404 },
    ],
    [
      'a contact that exists',
      { status: 409, body: error('CONFLICT', 'Contact already exists. Existing ID: 101') },
      { code: 'upstream_rejected', definite: true, message: expect.stringContaining('Existing ID: 101') },
    ],
    [
      'a token that ended',
      {
        status: 401,
        body: error('EXPIRED_AUTHENTICATION', 'The OAuth token used to make this call expired.'),
      },
      { code: 'needs_reauth', definite: true },
    ],
    [
      'a scope that was not granted',
      { status: 403, body: error('MISSING_SCOPES', 'no', scopes) },
      {
        code: 'needs_more_scopes',
        definite: true,
        message: expect.stringContaining('crm.objects.contacts.write'),
      },
    ],
    [
      'a lack of permission',
      { status: 403, body: error('PERMISSIONS', 'no') },
      { code: 'forbidden_upstream', definite: true },
    ],
    [
      'too many calls',
      { status: 429, headers: { 'retry-after': '10' }, body: error('RATE_LIMITS', 'ten seconds') },
      { code: 'rate_limited', definite: true, retryAfter: 10 },
    ],
    ['a failure', { status: 502, body: '<html>' }, { code: 'upstream_unavailable', definite: false }],
  ])('%s', async (_, answer, expected) => {
    hubspot.answer = () => answer;
    await expect(
      run('create_record', { object_type: 'contacts', properties: { email: 'a@b.example' } }),
    ).rejects.toMatchObject(expected);
  });
});

describe('what is refused before anything is sent', () => {
  const search = (filter: Arguments) => ({ object_type: 'contacts', filter_groups: [[filter]] });
  const filter = { property: 'email', operator: 'EQ', value: 'a' };
  it.each<[string, string, Arguments, string]>([
    ['a kind that is not set up', 'list_records', { object_type: 'invoices' }, '/object_type'],
    [
      'an id that is a path',
      'update_record',
      { object_type: 'contacts', id: '../1', properties: { a: 'b' } },
      '/id',
    ],
    ['no property', 'update_record', { object_type: 'contacts', id: '1', properties: {} }, '/properties'],
    [
      '101 properties',
      'create_record',
      {
        object_type: 'contacts',
        properties: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`p${n}`, 'x'])),
      },
      '/properties',
    ],
    ['101 ids', 'batch_get_records', { object_type: 'contacts', ids: Array(101).fill('1') }, '/ids'],
    ['101 results', 'search_records', { object_type: 'contacts', limit: 101 }, '/limit'],
    [
      '7 filter groups',
      'search_records',
      { object_type: 'contacts', filter_groups: Array(7).fill([filter]) },
      '/filter_groups',
    ],
    [
      '19 filters',
      'search_records',
      { object_type: 'contacts', filter_groups: [...Array(4).fill(Array(5).fill(filter))] },
      '',
    ],
    [
      'IN without a list',
      'search_records',
      search({ property: 'a', operator: 'IN', value: 'x' }),
      '/filter_groups/0/0',
    ],
    [
      'BETWEEN without an end',
      'search_records',
      search({ property: 'a', operator: 'BETWEEN', value: 'x' }),
      '/filter_groups/0/0',
    ],
    ['EQ without a value', 'search_records', search({ property: 'a', operator: 'EQ' }), '/filter_groups/0/0'],
    [
      'a merge of a record with itself',
      'merge_records',
      { object_type: 'contacts', keep_id: '1', merge_id: '1' },
      '',
    ],
    [
      'a merge of notes',
      'merge_records',
      { object_type: 'notes', keep_id: '1', merge_id: '2' },
      '/object_type',
    ],
    ['pipelines of contacts', 'list_pipelines', { object_type: 'contacts' }, '/object_type'],
  ])('%s', (_, name, args, path) => {
    expect(fn(name).input.parse(args)).toMatchObject({ ok: false, issues: [{ path }] });
  });
});

describe('the kinds of records', () => {
  const scopesOf = (types: string) =>
    new Set(hubspotConnector.functions({ object_types: types }).flatMap(({ scopes }) => scopes));

  it('decide what exists and which scopes are asked for', () => {
    expect(scopesOf('contacts')).toEqual(
      new Set(['crm.objects.contacts.read', 'crm.objects.contacts.write', 'crm.objects.owners.read']),
    );
    expect(scopesOf('tickets')).toEqual(new Set(['tickets', 'crm.objects.owners.read']));
    expect(scopesOf('notes')).toEqual(scopesOf('contacts'));
    const names = (types: string) =>
      hubspotConnector.functions({ object_types: types }).map(({ name }) => name);
    expect(names('notes')).not.toEqual(expect.arrayContaining(['list_pipelines']));
    expect(names('notes')).not.toEqual(expect.arrayContaining(['merge_records']));
    expect(names('deals')).toEqual(expect.arrayContaining(['list_pipelines', 'merge_records']));
    expect(names('deals')).not.toContain('gdpr_delete_contact');
    expect(hubspotConnector.functions({})).toBe(hubspotConnector.functions({ object_types: 'contacts' }));
  });

  it('decide what can be reached', () => {
    const { origin } = new URL('https://api.hubapi.com');
    expect(hubspotConnector.egress({ object_types: 'deals' }, origin)).toEqual(
      [
        '/crm/objects/2026-09/deals',
        '/crm/properties/2026-09/deals',
        '/crm/pipelines/2026-09/deals',
        '/crm/associations/2026-09/deals/deals',
        '/crm/owners/2026-09',
        '/account-info/2026-09/details',
      ].map((pathPrefix) => ({ origin, pathPrefix })),
    );
  });

  it.each([
    [{}, 'contacts'],
    [{ object_types: ' Deals;contacts, deals' }, 'deals, contacts'],
    [{ object_types: 'contacts, invoices' }, null],
    [{ object_types: ' , ' }, null],
  ])('are read from %j as %s', (given, types) => {
    const parsed = hubspotConnector.config.safeParse(given);
    expect(parsed.success ? parsed.data.object_types : null).toBe(types);
  });
});

describe('the connector', () => {
  it('ships as the catalogue says', () => {
    const rows = functions.map(
      ({ name, risk, approval, askEveryTime = false }) =>
        `${name} ${risk} ${approval}${askEveryTime ? ' every time' : ''}`,
    );
    expect(rows).toEqual([
      'search_records read auto',
      'list_records read auto',
      'get_record read auto',
      'batch_get_records read auto',
      'list_associations read auto',
      'list_properties read auto',
      'list_pipelines read auto',
      'list_owners read auto',
      'create_record write ask',
      'upsert_record write ask',
      'update_record write ask',
      'archive_record destructive ask',
      'associate_records write ask',
      'remove_association destructive ask',
      'merge_records destructive off every time',
      'gdpr_delete_contact destructive off every time',
    ]);
  });

  it('signs in with the token of a private app', () => {
    const [, bearer] = hubspotConnector.auth;
    if (bearer?.kind !== 'secret') throw new Error('no token');
    const request = withSecret(
      bearer,
      { token: 'fake-secret-canary-1' },
      {},
    )({ method: 'GET', url: 'https://api.hubapi.com' });
    expect(request.headers).toEqual({ authorization: 'Bearer fake-secret-canary-1' });
  });
});
