/**
 * Our requests to HubSpot against those of @hubspot/api-client 13.4.0. That client still speaks the numbered versions
 * (v3, v4), so its paths are mapped to the dated ones below, and nothing else is: method, rest of the path, query and
 * body must be the same. That the dated paths exist was read in HubSpot's public API specs dated 2026-09.
 */
import { readFileSync } from 'node:fs';
import { Client } from '@hubspot/api-client';
import { AssociationSpecAssociationCategoryEnum } from '@hubspot/api-client/lib/codegen/crm/associations/v4/models/AssociationSpec.js';
import { FilterOperatorEnum } from '@hubspot/api-client/lib/codegen/crm/objects/models/Filter.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Arguments } from '../../src/connectors/framework.js';
import { hubspotConnector } from '../../src/connectors/hubspot/index.js';
import { isAllowed } from '../../src/net/request-guard.js';
import { call, callContext, functionNamed } from '../connectors/call-context.js';
import { essence, type Recorded, type Recorder, startRecorder } from './recorder.js';

const config = { object_types: 'contacts, companies, deals, tickets, notes, tasks' };
const functions = hubspotConnector.functions(config);
const verified = JSON.parse(readFileSync(new URL('verified/hubspot.json', import.meta.url), 'utf8'));
const compared = new Set<string>();

/** A numbered path as HubSpot's dated version has it: `/crm/v3/objects/…` → `/crm/objects/2026-09/…`. */
function dated(path: string): string {
  return path
    .replace(/^\/crm\/v[34]\/(objects|properties|pipelines|owners|associations)/, '/crm/$1/2026-09')
    .replace(/\/$/, '');
}

let recorder: Recorder;
let theirs: Client;

beforeAll(async () => {
  recorder = await startRecorder();
  // What each call answers when it went well; the client refuses any other status.
  recorder.answer = ({ method, path }) => {
    if (method === 'DELETE' || path.endsWith('/gdpr-delete')) return { status: 204, body: '' };
    if (path.endsWith('/upsert')) return { body: { results: [{ id: '1', properties: {}, new: true }] } };
    const creates = /\/objects(\/2026-09)?\/notes$|\/objects\/.*\/associations\/companies\/\d+$/.test(path);
    return { status: creates ? 201 : 200, body: { results: [] } };
  };
  theirs = new Client({
    accessToken: 'fake-secret-canary-1',
    basePath: recorder.origin,
    numberOfApiCallRetries: 0,
  });
});
afterAll(() => recorder.close());

function ours(name: string, args: Arguments) {
  return call(functionNamed(functions, name), callContext({ baseUrl: recorder.origin, config }), args);
}

const theirEssence = (request: Recorded) => essence({ ...request, path: dated(request.path) });

const category = AssociationSpecAssociationCategoryEnum.HubspotDefined;
const cases: Record<string, readonly [Arguments, (client: Client) => Promise<unknown>]> = {
  search_records: [
    {
      object_type: 'contacts',
      query: 'cleo',
      filter_groups: [
        [
          { property: 'createdate', operator: 'BETWEEN', value: '1', high_value: '2' },
          { property: 'lifecyclestage', operator: 'IN', values: ['lead', 'customer'] },
        ],
        [{ property: 'email', operator: 'HAS_PROPERTY' }],
      ],
      sort: '-createdate',
      properties: ['email'],
      limit: 10,
      page_token: '20',
    },
    ({ crm }) =>
      crm.objects.searchApi.doSearch('contacts', {
        query: 'cleo',
        filterGroups: [
          {
            filters: [
              {
                propertyName: 'createdate',
                operator: FilterOperatorEnum.Between,
                value: '1',
                highValue: '2',
              },
              {
                propertyName: 'lifecyclestage',
                operator: FilterOperatorEnum.In,
                values: ['lead', 'customer'],
              },
            ],
          },
          { filters: [{ propertyName: 'email', operator: FilterOperatorEnum.HasProperty }] },
        ],
        sorts: ['-createdate'],
        properties: ['email'],
        limit: 10,
        after: '20',
      }),
  ],
  list_records: [
    {
      object_type: 'deals',
      properties: ['dealname', 'amount'],
      associations: ['contacts'],
      limit: 5,
      page_token: '7',
    },
    ({ crm }) =>
      crm.objects.basicApi.getPage('deals', 5, '7', ['dealname', 'amount'], undefined, ['contacts']),
  ],
  get_record: [
    {
      object_type: 'contacts',
      id: 'cleo@siesta.example',
      id_property: 'email',
      properties: ['email'],
      associations: ['companies'],
    },
    ({ crm }) =>
      crm.objects.basicApi.getById(
        'contacts',
        'cleo@siesta.example',
        ['email'],
        undefined,
        ['companies'],
        undefined,
        'email',
      ),
  ],
  batch_get_records: [
    {
      object_type: 'companies',
      ids: ['a.example', 'b.example'],
      id_property: 'domain',
      properties: ['name'],
    },
    ({ crm }) =>
      crm.objects.batchApi.read('companies', {
        inputs: [{ id: 'a.example' }, { id: 'b.example' }],
        idProperty: 'domain',
        properties: ['name'],
        propertiesWithHistory: [],
      }),
  ],
  list_associations: [
    { from_type: 'contacts', id: '101', to_type: 'companies', page_token: '5' },
    ({ crm }) =>
      crm.associations.v4.batchApi.getPage('contacts', 'companies', { inputs: [{ id: '101', after: '5' }] }),
  ],
  list_properties: [{ object_type: 'tickets' }, ({ crm }) => crm.properties.coreApi.getAll('tickets')],
  list_pipelines: [{ object_type: 'deals' }, ({ crm }) => crm.pipelines.pipelinesApi.getAll('deals')],
  list_owners: [
    { email: 'ada@siesta.example', limit: 10, page_token: '3' },
    ({ crm }) => crm.owners.ownersApi.getPage('ada@siesta.example', '3', 10),
  ],
  create_record: [
    {
      object_type: 'notes',
      properties: { hs_note_body: 'Hi', hs_timestamp: 1_767_225_600_000 },
      associations: [{ to_id: '101', type_id: 202 }],
    },
    ({ crm }) =>
      crm.objects.basicApi.create('notes', {
        properties: { hs_note_body: 'Hi', hs_timestamp: '1767225600000' },
        associations: [
          { to: { id: '101' }, types: [{ associationCategory: category, associationTypeId: 202 }] },
        ],
      }),
  ],
  upsert_record: [
    {
      object_type: 'contacts',
      id_property: 'email',
      id: 'cleo@siesta.example',
      properties: { firstname: 'Cleo' },
    },
    ({ crm }) =>
      crm.objects.batchApi.upsert('contacts', {
        inputs: [{ id: 'cleo@siesta.example', idProperty: 'email', properties: { firstname: 'Cleo' } }],
      }),
  ],
  update_record: [
    { object_type: 'deals', id: '7', properties: { dealstage: 'closedwon', amount: 12.5 } },
    ({ crm }) =>
      crm.objects.basicApi.update('deals', '7', { properties: { dealstage: 'closedwon', amount: '12.5' } }),
  ],
  archive_record: [
    { object_type: 'tasks', id: '9' },
    ({ crm }) => crm.objects.basicApi.archive('tasks', '9'),
  ],
  associate_records: [
    { from_type: 'contacts', from_id: '101', to_type: 'companies', to_id: '202', labels: [{ type_id: 1 }] },
    ({ crm }) =>
      crm.associations.v4.basicApi.create('contacts', '101', 'companies', '202', [
        { associationCategory: category, associationTypeId: 1 },
      ]),
  ],
  remove_association: [
    { from_type: 'contacts', from_id: '101', to_type: 'companies', to_id: '202' },
    ({ crm }) => crm.associations.v4.basicApi.archive('contacts', '101', 'companies', '202'),
  ],
  merge_records: [
    { object_type: 'contacts', keep_id: '101', merge_id: '102' },
    ({ crm }) => crm.contacts.basicApi.merge({ primaryObjectId: '101', objectIdToMerge: '102' }),
  ],
  gdpr_delete_contact: [{ id: '101' }, ({ crm }) => crm.contacts.basicApi.purge({ objectId: '101' })],
};

describe('the same request as @hubspot/api-client, on the dated path', () => {
  it.each(Object.entries(cases))('%s', async (name, [args, client]) => {
    const mine = await recorder.during(() => ours(name, args));
    const vendor = await recorder.during(() => client(theirs));
    expect(mine).toHaveLength(1);
    expect(mine[0]?.path).toMatch(/^\/crm\/\w+\/2026-09(\/|$)/);
    expect(mine.map((request) => essence(request))).toEqual(vendor.map(theirEssence));
    const allowed = hubspotConnector.egress(config, recorder.origin);
    for (const { path } of mine) expect(isAllowed(new URL(path, recorder.origin), allowed), path).toBe(true);
    compared.add(name);
  });

  it('associate_records without a label', async () => {
    const args = { from_type: 'contacts', from_id: '101', to_type: 'companies', to_id: '202' };
    const [mine] = await recorder.during(() => ours('associate_records', args));
    const [vendor] = await recorder.during(() =>
      theirs.crm.associations.v4.basicApi.createDefault('contacts', '101', 'companies', '202'),
    );
    expect(essence(mine)).toEqual(vendor && theirEssence(vendor));
  });
});

describe('what is verified', () => {
  it('is what was compared here, and names every function', () => {
    expect([...compared].sort()).toEqual([...verified.checked].sort());
    const named = [...verified.checked, ...Object.keys(verified.unchecked)];
    expect(named.sort()).toEqual(functions.map(({ name }) => name).sort());
  });
});
