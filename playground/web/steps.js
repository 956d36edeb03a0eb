/** The seven steps of the tour, and how far a newcomer has come. No DOM. */

/**
 * A fact is a string that the page notes when it sees something happen:
 * `command:U0ADA:/connections add`, `action:U0BEN:approval.approve`, `agent:functions`, `agent:read:succeeded`,
 * `agent:write:pending_approval`, `mail:arrived`, `tick:STEP` (ticked off by hand).
 *
 * @typedef {{id: string, user: string, title: string, hint: string, actions: object[], values: [string, string][],
 *   done: (facts: Set<string>, seen: string) => boolean, impliedBy: string[]}} Step
 */

const has = (facts, ...all) => all.every((fact) => facts.has(fact));
const any = (facts, ...some) => some.some((fact) => facts.has(fact));

/** @type {Step[]} */
export const STEPS = [
  {
    id: 'open',
    user: 'U0ADA',
    title: 'Open the playground',
    hint: '',
    actions: [],
    values: [],
    done: () => true,
    impliedBy: [],
  },
  {
    id: 'connect',
    user: 'U0ADA',
    title: 'Add the helpdesk as a connection',
    hint: 'As Ada, look at what exists, then add a REST API connection with these values. Pick some functions, let Ben approve, route the cards to #approvals, and type the API key into the one-time form.',
    actions: [
      { type: 'compose', user: 'U0ADA', text: '/connections' },
      { type: 'compose', user: 'U0ADA', text: '/connections add' },
    ],
    values: [
      ['Base URL', 'helpdesk.base_url'],
      ['OpenAPI URL', 'helpdesk.openapi_url'],
      ['API key', 'helpdesk.api_key'],
    ],
    // Not before its key is in: until then the values are still to be copied.
    done: (_facts, seen) => /Credential for \*[^*]+\* stored/.test(seen),
    impliedBy: ['caller', 'ask', 'decide'],
  },
  {
    id: 'caller',
    user: 'U0ADA',
    title: 'Register the caller “Support agent”',
    hint: 'As Ada, stage test. Its token is shown once, in the browser: paste it into the sample agent below. Then give it access to the connection.',
    actions: [
      { type: 'compose', user: 'U0ADA', text: '/connections callers add' },
      { type: 'compose', user: 'U0ADA', text: '/connections access ' },
    ],
    values: [],
    done: (facts) => facts.has('agent:functions'),
    impliedBy: ['ask', 'decide'],
  },
  {
    id: 'ask',
    user: 'U0ADA',
    title: 'Let the agent ask',
    hint: 'In the sample agent, `list_tickets` runs directly and shows its result; `create_ticket` waits for a person.',
    actions: [{ type: 'agent' }],
    values: [],
    done: (facts) => has(facts, 'agent:read:succeeded', 'agent:write:pending_approval'),
    impliedBy: ['decide'],
  },
  {
    id: 'decide',
    user: 'U0BEN',
    title: 'Decide on the card as Ben',
    hint: 'It is in #approvals and in his DM. Open Details, go back, approve: both copies change at once, the ticket appears in the outside world, and the agent gets its answer.',
    actions: [{ type: 'open', user: 'U0BEN', channel: 'C0APPROVALS', label: 'Open #approvals' }],
    values: [],
    done: (facts) => any(facts, 'action:U0BEN:approval.approve', 'agent:write:succeeded'),
    impliedBy: [],
  },
  {
    id: 'inspect',
    user: 'U0DANA',
    title: 'Inspect the executions',
    hint: 'As Ada, `/executions` lists both calls with their metadata. As Dana, the auditor, the detail shows arguments, result and decision.',
    actions: [
      { type: 'compose', user: 'U0ADA', text: '/executions' },
      { type: 'compose', user: 'U0DANA', text: '/executions' },
    ],
    values: [],
    done: (facts) => has(facts, 'command:U0ADA:/executions', 'command:U0DANA:/executions'),
    impliedBy: [],
  },
  {
    id: 'mail',
    user: 'U0CLEO',
    title: 'Send a mail from Cleo’s Gmail',
    hint: 'Add a private Gmail connection as Ada with these values and give the agent access. The agent asks on behalf of Cleo; she connects her account from her DM, and approves there.',
    actions: [
      { type: 'compose', user: 'U0ADA', text: '/connections add' },
      { type: 'agent', onBehalfOf: 'cleo' },
      { type: 'open', user: 'U0CLEO', channel: 'im', label: 'Open the DM' },
    ],
    values: [
      ['Google client ID', 'google.client_id'],
      ['Google client secret', 'google.client_secret'],
      ['On behalf of', 'cleo'],
    ],
    done: (facts) => facts.has('mail:arrived'),
    impliedBy: [],
  },
];

/** The facts that a sent command leaves: who used it, and with which first word. */
export function commandFacts(user, text) {
  const [command, verb] = text.trim().split(/\s+/);
  return [`command:${user}:${command}`, ...(verb ? [`command:${user}:${command} ${verb}`] : [])];
}

/** Everything the bot has said to the person looking, as one text to search in. */
export function wordsOfBot(snapshot) {
  const bots = new Set(snapshot.users.filter((user) => user.is_bot).map((user) => user.id));
  const said = Object.values(snapshot.messages)
    .flat()
    .filter((message) => bots.has(message.user));
  return JSON.stringify([said, snapshot.home]);
}

/**
 * @param {Set<string>} facts
 * @param {string} seen what the bot has said, see `wordsOfBot`
 * @returns {{done: Set<string>, next: Step[]}} ids of finished steps, and the next three to try
 */
export function progress(facts, seen) {
  const finished = (step) => facts.has(`tick:${step.id}`) || step.done(facts, seen);
  const done = new Set(STEPS.filter(finished).map((step) => step.id));
  for (const step of STEPS) if (step.impliedBy.some((id) => done.has(id))) done.add(step.id);
  return { done, next: STEPS.filter((step) => !done.has(step.id)).slice(0, 3) };
}
