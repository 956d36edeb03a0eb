/** Functions that create and delete containers. */
import { z } from 'zod';
import { input, long, short } from '../fields.js';
import { type CallContext, defineFunction, type FunctionDefinition } from '../framework.js';
import { objectOf, objectsIn } from '../json.js';
import { callAzure, refusalOf } from './api.js';
import { isOurs, isoDate } from './blobs.js';
import { MARKER, newContainer } from './fields.js';
import { elementName, elementText, parseXml } from './xml.js';

const oneContainer = input(z.strictObject({ container: newContainer }));
/** How many names an approver is shown. */
const SHOWN = 50;

function result(container: string, headers: Readonly<Record<string, string>>) {
  return { container, etag: headers.etag ?? '', last_modified: isoDate(headers['last-modified']) };
}

function headContainer(context: CallContext, container: string) {
  return callAzure(context, { method: 'HEAD', container, query: { restype: 'container' } });
}

/** The first names in a container, one a line. */
async function contents(context: CallContext, container: string): Promise<string> {
  const response = await callAzure(context, {
    method: 'GET',
    container,
    query: { restype: 'container', comp: 'list', maxresults: String(SHOWN) },
  });
  const answer = parseXml(response.text());
  const names = objectsIn(objectOf(answer.Blobs).Blob).map(({ Name }) => elementName(Name));
  if (elementText(answer.NextMarker) !== '') names.push('… and more');
  return names.length === 0 ? 'nothing' : names.join('\n');
}

export const containerFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    name: 'create_container',
    title: 'Create a container',
    description: 'Creates a container that nobody can read without a credential.',
    risk: 'write',
    approval: 'ask',
    scopes: [],
    // A name exists once; that it is ours says our mark in its metadata.
    idempotency: 'key',
    input: oneContainer.schema,
    output: '{container, etag, last_modified}',
    card: (args) => short('Container', oneContainer.read(args).container),
    observe: { none: 'It creates something new; there is no target yet.' },
    async reconcile(context, args) {
      const { container } = oneContainer.read(args);
      try {
        const { headers } = await headContainer(context, container);
        if (isOurs(context, headers)) return { status: 'applied', result: result(container, headers) };
      } catch (error) {
        if (refusalOf(error) === 'ContainerNotFound') return { status: 'not_applied' };
        throw error;
      }
      return {
        status: 'unknown',
        reason: 'There is a container of that name without the mark of this call.',
      };
    },
    async run(context, args) {
      const { container } = oneContainer.read(args);
      try {
        const { headers } = await callAzure(context, {
          method: 'PUT',
          container,
          query: { restype: 'container' },
          headers: { [`x-ms-meta-${MARKER}`]: context.executionId },
        });
        return result(container, headers);
      } catch (error) {
        if (refusalOf(error) !== 'ContainerAlreadyExists') throw error;
        const { headers } = await headContainer(context, container);
        if (isOurs(context, headers)) return result(container, headers);
        throw error;
      }
    },
  }),
  defineFunction({
    name: 'delete_container',
    title: 'Delete a container',
    description: 'Deletes a container and every blob in it.',
    risk: 'destructive',
    approval: 'off',
    askEveryTime: true,
    scopes: [],
    idempotency: 'natural',
    input: oneContainer.schema,
    output: '{deleted}: the name',
    card: (args) => short('Container', oneContainer.read(args).container),
    observe: {
      // Its etag says nothing about the blobs in it, and a deletion takes no etag ("Delete Container").
      condition: null,
      async read(context, args) {
        const { container } = oneContainer.read(args);
        const { headers } = await headContainer(context, container);
        return { fields: long('Holds', await contents(context, container)), version: headers.etag ?? '' };
      },
    },
    async run(context, args) {
      const { container } = oneContainer.read(args);
      await callAzure(context, { method: 'DELETE', container, query: { restype: 'container' } });
      return { deleted: container };
    },
  }),
];
