/** Jira functions that look up what a call on issues needs: projects, fields, people. */
import { z } from 'zod';
import { input, oneLine, pageSize } from '../fields.js';
import { defineFunction, type FunctionDefinition } from '../framework.js';
import { type JsonObject, objectOf, objectsIn, textOf } from '../json.js';
import { askJira, callJira, SCOPES } from './api.js';
import { issueKey, nextOffset, numericId, offsetToken, projectKey, READ } from './fields.js';
import { fieldsMeta, userOf } from './issue.js';

const page = { max_results: pageSize(100), page_token: z.exactOptional(offsetToken) };
const projects = input(
  z.strictObject({ query: z.exactOptional(oneLine(200)).describe('Part of a name or key.'), ...page }),
);
const oneProject = input(z.strictObject({ key: projectKey }));
const createFields = input(
  z.strictObject({
    project: projectKey,
    issue_type_id: z
      .exactOptional(numericId)
      .describe('Lists the fields of this type; without it, the types of the project.'),
    page_token: z.exactOptional(offsetToken),
  }),
);
const users = input(
  z.strictObject({ query: oneLine(200).describe('Part of a name or mail address.'), ...page }),
);
const assignable = input(
  z
    .strictObject({
      project: z.exactOptional(projectKey),
      issue: z.exactOptional(issueKey),
      query: z.exactOptional(oneLine(200)),
      ...page,
    })
    .refine(
      ({ project, issue }) => (project === undefined) !== (issue === undefined),
      'names one of project and issue',
    ),
);
const nothing = input(z.strictObject({}));

/** The page of field and type lists; Jira's own limit is 200. */
const META_PAGE = 200;
const USERS = '{users: [{account_id, display_name, email?, active}], next_page_token}';

function projectOf(project: JsonObject): JsonObject {
  return {
    id: textOf(project.id),
    key: textOf(project.key),
    name: textOf(project.name),
    type: textOf(project.projectTypeKey),
  };
}

function issueTypeOf(type: JsonObject): JsonObject {
  return {
    id: textOf(type.id),
    name: textOf(type.name),
    description: textOf(type.description),
    subtask: type.subtask === true,
  };
}

interface Page {
  readonly max_results: number;
  readonly page_token?: string;
}

function pageQuery({ max_results: most, page_token: start }: Page) {
  return { startAt: start ?? '0', maxResults: String(most) };
}

/** A page of found people is full or the last one: the list says nothing else. */
function usersPage(found: JsonObject[], { max_results: most, page_token: start }: Page): JsonObject {
  return { users: found.map(userOf), next_page_token: nextOffset(start, found.length, found.length >= most) };
}

/** How far the list of assignable people reaches; see `assignablePage`. */
const MOST_ASSIGNABLE = 1_000;

/**
 * Jira takes a range of people and leaves out who cannot be assigned (swagger, "Find users assignable to issues"): a
 * page may be short, even empty, with others after it, up to the thousandth.
 */
function assignablePage(found: JsonObject[], { max_results: most, page_token: start }: Page): JsonObject {
  const next = Number(start ?? 0) + most;
  return { users: found.map(userOf), next_page_token: next < MOST_ASSIGNABLE ? String(next) : null };
}

export const lookUpFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...READ,
    name: 'list_projects',
    title: 'List projects',
    description: 'Lists the projects that the account sees.',
    input: projects.schema,
    output: '{projects: [{id, key, name, type}], next_page_token}',
    async run(context, args) {
      const { query, ...asked } = projects.read(args);
      const answer = await callJira(context, 'GET', ['project', 'search'], {
        query: { ...pageQuery(asked), query },
      });
      const found = objectsIn(answer.values).map(projectOf);
      return {
        projects: found,
        next_page_token: nextOffset(asked.page_token, found.length, answer.isLast === false),
      };
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_project',
    title: 'Read a project',
    description: 'Reads a project: who leads it, its issue types, components and versions.',
    input: oneProject.schema,
    output:
      '{id, key, name, type, description, lead, issue_types: [{id, name, description, subtask}], components, versions}',
    async run(context, args) {
      const project = await callJira(context, 'GET', ['project', oneProject.read(args).key]);
      return {
        ...projectOf(project),
        description: textOf(project.description),
        lead: textOf(objectOf(project.lead).displayName),
        issue_types: objectsIn(project.issueTypes).map(issueTypeOf),
        components: objectsIn(project.components).map(({ name }) => textOf(name)),
        versions: objectsIn(project.versions).map(({ name }) => textOf(name)),
      };
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_create_fields',
    title: 'List fields for a new issue',
    description: 'Lists the issue types of a project, or the fields that an issue of one type takes.',
    input: createFields.schema,
    output:
      '{issue_types: [{id, name, description, subtask}], next_page_token} or {fields: [{id, name, required, type, allowed_values}], next_page_token}',
    async run(context, args) {
      const { project, issue_type_id: type, page_token: start } = createFields.read(args);
      const path = ['issue', 'createmeta', project, 'issuetypes', ...(type === undefined ? [] : [type])];
      const query = pageQuery({ max_results: META_PAGE, ...(start !== undefined && { page_token: start }) });
      const answer = await callJira(context, 'GET', path, { query });
      const found = objectsIn(type === undefined ? answer.issueTypes : answer.fields);
      const more = Number(start ?? 0) + found.length < Number(answer.total ?? 0);
      const next_page_token = nextOffset(start, found.length, more);
      if (type === undefined) return { issue_types: found.map(issueTypeOf), next_page_token };
      return { fields: fieldsMeta(found), next_page_token };
    },
  }),
  defineFunction({
    ...READ,
    name: 'search_users',
    title: 'Search people',
    description: 'Finds people of the site by name or mail address.',
    scopes: [SCOPES.user],
    input: users.schema,
    output: USERS,
    async run(context, args) {
      const { query, ...asked } = users.read(args);
      const answer = await askJira(context, 'GET', ['user', 'search'], {
        query: { ...pageQuery(asked), query },
      });
      return usersPage(objectsIn(answer), asked);
    },
  }),
  defineFunction({
    ...READ,
    name: 'find_assignable_users',
    title: 'Find who can be assigned',
    description:
      'Finds people to whom issues of a project, or one issue, can be assigned. A page may be short or empty and others follow; a query finds sooner.',
    scopes: [SCOPES.user],
    input: assignable.schema,
    output: USERS,
    async run(context, args) {
      const { project, issue, query, ...asked } = assignable.read(args);
      const answer = await askJira(context, 'GET', ['user', 'assignable', 'search'], {
        query: { ...pageQuery(asked), query, project, issueKey: issue },
      });
      return assignablePage(objectsIn(answer), asked);
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_myself',
    title: 'Show the account',
    description: 'Shows whose account this is.',
    scopes: [SCOPES.user],
    input: nothing.schema,
    output: '{account_id, display_name, email?, active}',
    async run(context) {
      return userOf(await callJira(context, 'GET', ['myself']));
    },
  }),
];
