import { describe, expect, it } from 'vitest';
import { hubspotConnector } from '../../src/connectors/hubspot/index.js';
import { standIn } from './stand-in.js';

const config = { object_types: 'contacts, companies, deals, notes' };
const hubspot = standIn({ functions: hubspotConnector.functions(config), config });
const { answers, context, fn, observe, run, sent } = hubspot;

const cleo = {
  id: '101',
  properties: { firstname: 'Cleo', lastname: 'Marchetti', email: 'cleo@siesta.example', phone: null },
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-02T00:00:00.000Z',
  archived: false,
  url: 'https://app.hubspot.com/contacts/1/record/0-1/101',
};
const read = {
  id: '101',
  properties: cleo.properties,
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-02T00:00:00.000Z',
  archived: false,
  url: cleo.url,
};
const missing = {
  status: 404,
  body: { status: 'error', message: 'resource not found', category: 'OBJECT_NOT_FOUND' },
};

describe('reading', () => {
  it('finds, lists and reads records', async () => {
    answers({
      'POST /crm/objects/2026-09/contacts/search': {
        body: { total: 12, results: [cleo], paging: { next: { after: '25' } } },
      },
      'GET /crm/objects/2026-09/contacts': { body: { results: [cleo] } },
      'GET /crm/objects/2026-09/contacts/101': {
        body: {
          ...cleo,
          associations: {
            companies: {
              results: [
                { id: '202', type: 'contact_to_company' },
                { id: '202', type: 'contact_to_company_unlabeled' },
              ],
            },
          },
        },
      },
    });
    expect(await run('search_records', { object_type: 'contacts', query: 'cleo' })).toEqual({
      records: [read],
      total: 12,
      next_page_token: '25',
    });
    expect(sent()).toEqual({
      query: 'cleo',
      filterGroups: [],
      sorts: [],
      properties: [],
      limit: 25,
      after: '0',
    });
    expect(await run('list_records', { object_type: 'contacts' })).toEqual({
      records: [read],
      next_page_token: null,
    });
    expect(
      await run('get_record', { object_type: 'contacts', id: '101', associations: ['companies'] }),
    ).toEqual({ ...read, associations: { companies: ['202'] } });
  });

  it('names what a batch did not find', async () => {
    answers({
      'POST /crm/objects/2026-09/contacts/batch/read': {
        status: 207,
        body: {
          status: 'COMPLETE',
          results: [cleo],
          numErrors: 1,
          errors: [
            {
              status: 'error',
              category: 'OBJECT_NOT_FOUND',
              message: 'Could not get some objects',
              context: { ids: ['999'] },
            },
          ],
        },
      },
    });
    expect(await run('batch_get_records', { object_type: 'contacts', ids: ['101', '999'] })).toEqual({
      records: [read],
      missing: ['999'],
    });
  });

  it('lists associations, properties, pipelines and owners', async () => {
    answers({
      'POST /crm/associations/2026-09/contacts/companies/batch/read': {
        body: {
          results: [
            {
              from: { id: '101' },
              to: [
                {
                  toObjectId: 202,
                  associationTypes: [
                    { category: 'HUBSPOT_DEFINED', typeId: 1, label: 'Primary' },
                    { category: 'HUBSPOT_DEFINED', typeId: 279, label: null },
                  ],
                },
              ],
              paging: { next: { after: '9' } },
            },
          ],
        },
      },
      'GET /crm/properties/2026-09/contacts': {
        body: {
          results: [
            {
              name: 'email',
              label: 'Email',
              groupName: 'info',
              type: 'string',
              fieldType: 'text',
              hasUniqueValue: true,
              options: [],
              modificationMetadata: { readOnlyValue: false },
            },
            {
              name: 'hs_language',
              label: 'Preferred language',
              groupName: 'info',
              type: 'enumeration',
              fieldType: 'select',
              options: Array.from({ length: 101 }, (_, value) => ({
                value: `${value}`,
                label: `L${value}`,
                hidden: false,
              })),
              modificationMetadata: { readOnlyValue: true },
            },
          ],
        },
      },
      'GET /crm/pipelines/2026-09/deals': {
        body: {
          results: [
            { id: 'default', label: 'Sales', stages: [{ id: 'closedwon', label: 'Won', metadata: {} }] },
          ],
        },
      },
      'GET /crm/owners/2026-09': {
        body: {
          results: [
            {
              id: '5',
              email: 'ada@siesta.example',
              firstName: 'Ada',
              lastName: 'Novak',
              teams: [{ id: '1', name: 'Sales', primary: true }],
            },
          ],
        },
      },
    });
    expect(
      await run('list_associations', { from_type: 'contacts', id: '101', to_type: 'companies' }),
    ).toEqual({
      associations: [
        {
          id: '202',
          labels: [
            { category: 'HUBSPOT_DEFINED', type_id: 1, label: 'Primary' },
            { category: 'HUBSPOT_DEFINED', type_id: 279, label: null },
          ],
        },
      ],
      next_page_token: '9',
    });
    expect(await run('list_properties', { object_type: 'contacts', query: 'EMAIL' })).toEqual({
      properties: [
        {
          name: 'email',
          label: 'Email',
          group: 'info',
          type: 'string',
          field_type: 'text',
          description: '',
          unique: true,
          read_only: false,
          options: [],
          truncated: false,
        },
      ],
    });
    expect(await run('list_properties', { object_type: 'contacts', query: 'language' })).toMatchObject({
      properties: [{ read_only: true, truncated: true, options: { length: 100 } }],
    });
    expect(await run('list_pipelines', { object_type: 'deals' })).toEqual({
      pipelines: [{ id: 'default', label: 'Sales', stages: [{ id: 'closedwon', label: 'Won' }] }],
    });
    expect(await run('list_owners')).toEqual({
      owners: [{ id: '5', email: 'ada@siesta.example', name: 'Ada Novak', teams: ['Sales'] }],
      next_page_token: null,
    });
  });

  it('knows whose account it is', async () => {
    answers({
      'GET /account-info/2026-09/details': { body: { portalId: 1234567, accountType: 'STANDARD' } },
    });
    expect(await hubspotConnector.account?.(context())).toBe('HubSpot account 1234567');
  });
});

describe('writing', () => {
  it('shows a record before and after, and writes every value as a text', async () => {
    answers({
      'GET /crm/objects/2026-09/contacts/101': { body: cleo },
      'PATCH /crm/objects/2026-09/contacts/101': { body: cleo },
    });
    const args = {
      object_type: 'contacts',
      id: '101',
      properties: { phone: '+39 1', hs_score: 5, opted_in: false },
    };
    expect(await observe('update_record', args)).toEqual({
      fields: [
        { label: 'Record', value: 'contacts 101: Cleo Marchetti cleo@siesta.example', kind: 'short' },
        { label: 'phone', value: '', after: '+39 1', kind: 'short' },
        { label: 'hs_score', value: '', after: '5', kind: 'short' },
        { label: 'opted_in', value: '', after: 'false', kind: 'short' },
      ],
      version: '',
    });
    expect(hubspot.requests[0]?.query.map(([, name]) => name)).toEqual([
      'email',
      'firstname',
      'hs_score',
      'lastname',
      'opted_in',
      'phone',
    ]);
    expect(await run('update_record', args)).toEqual(read);
    expect(sent(1)).toEqual({ properties: { phone: '+39 1', hs_score: '5', opted_in: 'false' } });
  });

  it('creates by a unique value once, and says whether it will', async () => {
    const args = {
      object_type: 'contacts',
      id_property: 'email',
      id: 'cleo@siesta.example',
      properties: { firstname: 'Cléo' },
    };
    const upsert = (body: object, status = 200) =>
      answers({
        'POST /crm/objects/2026-09/contacts/batch/upsert': { status, body },
        'GET /crm/objects/2026-09/contacts/cleo%40siesta.example': missing,
      });
    upsert({ status: 'COMPLETE', results: [{ ...cleo, new: true }] });
    expect((await observe('upsert_record', args)).fields).toEqual([
      { label: 'Record', value: 'None yet; it is created', kind: 'short' },
      { label: 'firstname', value: '', after: 'Cléo', kind: 'short' },
    ]);
    expect(await run('upsert_record', args)).toEqual({ ...read, created: true });
    upsert({ status: 'COMPLETE', results: [{ ...cleo, new: false }] });
    expect(await run('upsert_record', args)).toMatchObject({ created: false });
    upsert(
      {
        status: 'COMPLETE',
        results: [],
        numErrors: 1,
        errors: [{ message: 'Property "email" is not unique', context: {} }],
      },
      207,
    );
    await expect(run('upsert_record', args)).rejects.toMatchObject({
      code: 'upstream_rejected',
      definite: true,
      message: expect.stringContaining('is not unique'),
    });
    upsert({ status: 'PENDING', results: [] }, 202);
    await expect(run('upsert_record', args)).rejects.toMatchObject({ definite: false });
    answers({ 'GET /crm/objects/2026-09/contacts/cleo%40siesta.example': { body: cleo } });
    expect((await observe('upsert_record', args)).fields[1]).toEqual({
      label: 'firstname',
      value: 'Cleo',
      after: 'Cléo',
      kind: 'short',
    });
  });

  it('shows both records where two are meant', async () => {
    const company = { id: '202', properties: { name: 'Siesta', domain: 'siesta.example' } };
    answers({
      'GET /crm/objects/2026-09/contacts/101': { body: cleo },
      'GET /crm/objects/2026-09/contacts/102': {
        body: { id: '102', properties: { email: 'c@siesta.example' } },
      },
      'GET /crm/objects/2026-09/companies/202': { body: company },
    });
    const tie = { from_type: 'contacts', from_id: '101', to_type: 'companies', to_id: '202' };
    const shown = [
      { label: 'From', value: 'contacts 101: Cleo Marchetti cleo@siesta.example', kind: 'short' },
      { label: 'To', value: 'companies 202: Siesta siesta.example', kind: 'short' },
    ];
    expect((await observe('associate_records', tie)).fields).toEqual(shown);
    expect((await observe('remove_association', tie)).fields).toEqual(shown);
    expect(
      (await observe('merge_records', { object_type: 'contacts', keep_id: '101', merge_id: '102' })).fields,
    ).toEqual([
      { label: 'Stays', value: 'contacts 101: Cleo Marchetti cleo@siesta.example', kind: 'short' },
      { label: 'Goes into it', value: 'contacts 102: c@siesta.example', kind: 'short' },
    ]);
    expect((await observe('archive_record', { object_type: 'contacts', id: '101' })).fields).toHaveLength(1);
    expect((await observe('gdpr_delete_contact', { id: '101' })).fields).toMatchObject([
      { label: 'Contact' },
    ]);
  });

  it('ties, unties, archives, merges and forgets', async () => {
    hubspot.answer = ({ method, path }) =>
      method === 'DELETE' || path.endsWith('/gdpr-delete') ? { status: 204, body: '' } : { body: cleo };
    const tie = { from_type: 'contacts', from_id: '101', to_type: 'companies', to_id: '202' };
    expect(await run('associate_records', tie)).toEqual({ from_id: '101', to_id: '202' });
    expect(hubspot.requests[0]?.body.byteLength).toBe(0);
    expect(await run('remove_association', tie)).toEqual({ from_id: '101', to_id: '202' });
    expect(await run('archive_record', { object_type: 'notes', id: '9' })).toEqual({ archived: '9' });
    expect(await run('merge_records', { object_type: 'contacts', keep_id: '101', merge_id: '102' })).toEqual(
      read,
    );
    expect(await run('gdpr_delete_contact', { id: '101' })).toEqual({ deleted: '101' });
  });

  it('puts the values on the card', () => {
    const args = {
      object_type: 'notes',
      properties: { hs_note_body: 'One\nTwo', hs_timestamp: 1 },
      associations: [{ to_id: '101', type_id: 202, category: 'HUBSPOT_DEFINED' }],
    };
    expect(fn('create_record').card(args)).toEqual([
      { label: 'Kind', value: 'notes', kind: 'short' },
      { label: 'hs_note_body', value: 'One\nTwo', kind: 'long' },
      { label: 'hs_timestamp', value: '1', kind: 'short' },
      { label: 'Tied to', value: '101 (type 202)', kind: 'short' },
    ]);
    const own = { type_id: 7, category: 'USER_DEFINED' };
    const pair = { from_type: 'contacts', from_id: '1', to_type: 'companies', to_id: '2' };
    expect(fn('associate_records').card({ ...pair, labels: [own, { type_id: 1 }] })).toContainEqual({
      label: 'Labels',
      value: 'USER_DEFINED type 7, type 1',
      kind: 'short',
    });
  });
});
