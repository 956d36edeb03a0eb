/** The sample agent's side of the product's HTTP API: example arguments, the curl line, words for states. No DOM. */

const ENDS = new Set(['succeeded', 'failed', 'outcome_unknown', 'denied', 'expired', 'cancelled']);

const WORDS = {
  pending_authorization: 'waiting for authorization…',
  pending_approval: 'waiting for approval…',
  queued: 'queued…',
  executing: 'running…',
  succeeded: 'succeeded',
  failed: 'failed',
  outcome_unknown: 'outcome unknown',
  denied: 'denied',
  expired: 'expired',
  cancelled: 'cancelled',
};

/** Whether an execution's status will not change any more. */
export function isTerminal(status) {
  return ENDS.has(status);
}

/** A status as a person says it. */
export function statusWords(status) {
  return WORDS[status] ?? status;
}

/** Values that make an example worth reading, by the name that a property usually has. */
const PERSON = 'dana@siesta.example';
const TICKET = {
  title: 'Printer on floor 3 is out of toner',
  subject: 'Printer on floor 3 is out of toner',
  body: 'It prints grey stripes. The spare cartridge in the cupboard is used up.',
  description: 'It prints grey stripes. The spare cartridge in the cupboard is used up.',
  text: 'The toner has arrived.',
  id: 'T-101',
  q: 'printer',
  query: 'printer',
  requester: PERSON,
  email: PERSON,
};
const MAIL = {
  ...TICKET,
  to: PERSON,
  subject: 'Your ticket has been answered',
  body: 'Hello Dana, the toner is on its way and should arrive tomorrow morning.',
  body_text: 'Hello Dana, the toner is on its way and should arrive tomorrow morning.',
};

/**
 * An example that satisfies a JSON Schema well enough to be edited: examples, defaults and enums first.
 * @param {object} schema JSON Schema of a function's arguments
 * @param {string} [name] the property that the schema describes
 * @param {Record<string, string>} [likely] what properties of this kind usually hold
 */
export function exampleOf(schema, name = '', likely = TICKET) {
  if (typeof schema !== 'object' || schema === null) return {};
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0];
  for (const key of ['example', 'default', 'const']) if (schema[key] !== undefined) return schema[key];
  if (Array.isArray(schema.enum)) return schema.enum[0];
  const branch = schema.anyOf?.[0] ?? schema.oneOf?.[0];
  if (branch !== undefined) return exampleOf(branch, name, likely);
  return EXAMPLE_OF_TYPE[typeOf(schema)]?.(schema, name, likely) ?? null;
}

function typeOf(schema) {
  const type = Array.isArray(schema.type) ? schema.type.find((one) => one !== 'null') : schema.type;
  return type ?? (schema.properties ? 'object' : 'string');
}

const EXAMPLE_OF_TYPE = {
  object: (schema, _name, outer) => {
    const likely = schema.properties?.to === undefined ? outer : MAIL;
    const required = new Set(schema.required ?? []);
    const wanted = Object.entries(schema.properties ?? {}).filter(
      ([name, property]) =>
        required.has(name) || property?.examples !== undefined || property?.example !== undefined,
    );
    return Object.fromEntries(wanted.map(([name, property]) => [name, exampleOf(property, name, likely)]));
  },
  array: (schema, name, likely) =>
    schema.minItems > 0 || name === 'to' ? [exampleOf(schema.items ?? {}, name, likely)] : [],
  string: (schema, name, likely) => {
    if (schema.format === 'date') return '2030-01-15';
    if (schema.format === 'date-time') return '2030-01-15T09:00:00Z';
    if (schema.format === 'email') return PERSON;
    return likely[name.toLowerCase()] ?? name;
  },
  integer: (schema) => schema.minimum ?? 1,
  number: (schema) => schema.minimum ?? 1,
  boolean: () => false,
};

/**
 * The body of `POST /v1/executions`; optional members are left out when empty, since unknown or empty ones are refused.
 * @param {{connection: string, function: string, arguments: object, onBehalfOf?: string, reason?: string, wait?: number}} call
 */
export function executionBody(call) {
  return {
    connection: call.connection,
    function: call.function,
    arguments: call.arguments,
    ...(call.onBehalfOf ? { on_behalf_of: call.onBehalfOf } : {}),
    ...(call.reason ? { reason: call.reason } : {}),
    ...(call.wait ? { wait: call.wait } : {}),
  };
}

/** One POSIX shell word. */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The same call for a terminal; the token stays a variable, so that nobody pastes it into a chat. */
export function curlLine(origin, idempotencyKey, body) {
  return [
    `curl -sS ${origin}/v1/executions`,
    `-H "Authorization: Bearer $SIESTA_TOKEN"`,
    `-H 'Content-Type: application/json'`,
    `-H ${quoted(`Idempotency-Key: ${idempotencyKey}`)}`,
    `-d ${quoted(JSON.stringify(body))}`,
  ].join(' \\\n  ');
}
