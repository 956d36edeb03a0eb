/**
 * What a person who decides about a call would want to know of its values and cannot see in them: that an address is
 * outside the company, that nothing like it was ever written through this connection, that its caller read it somewhere
 * a moment ago. By plain matching; no model. A mark is a remark: it allows nothing and refuses nothing.
 */
import type { ConnectionDocument, ExecutionDocument } from '../../models/types.js';
import { SHARED } from '../../models/types.js';
import type { Arguments } from '../connectors/framework.js';
import type { CallFacts } from './call-facts.js';
import { isOutside, leaves, recipientsOf } from './conditions.js';
import type { Dependencies } from './dependencies.js';
import type { PayloadService } from './payloads.js';

/** Earlier writes that are looked at, and reads of the caller. */
const EARLIER = 200;
const READS = 40;
const READ_WINDOW_MS = 3_600_000;
/** A person who opens something does not wait longer for the marks. */
const PATIENCE_MS = 200;
/** The copies that are sent: nobody looks at them yet, and what is missing then stays missing on them. */
export const SENT_PATIENCE_MS = 1_000;
/** Marks of this many cards are kept: each is drawn once for every copy, and again for every update. */
const KEPT = 200;
const MOST_VALUES = 300;
/** Payloads that are opened without letting others have their turn. */
const AT_ONCE = 50;

export interface Mark {
  /** As it stands in the arguments, in lower case where case means nothing. */
  readonly value: string;
  /** What is said of it, in words that may quote titles of functions. */
  readonly says: readonly string[];
}

export interface Marks {
  readonly marks: readonly Mark[];
  /** About the call as a whole, such as that the marks are missing. */
  readonly note: string | null;
}

type Trait = {
  readonly kind: 'address' | 'domain' | 'folder' | 'channel' | 'project' | 'amount';
  readonly value: string;
};

const PLACES = [
  ['folder', /^(?:folder|parent|directory|destination|destination_folder|to_folder|drive)(?:_?ids?)?$/],
  ['channel', /^(?:channel|conversation|calendar)(?:_?ids?)?$/],
  ['project', /^(?:project|board|space|site|repo|repository|container|bucket)(?:_?(?:ids?|keys?|names?))?$/],
] as const;
const AMOUNT = /(?:^|_)(?:amount|total|price|sum|cost|fee|payment)(?:$|_)/;
/** Words of a schema ("accepted", "high") are no values that anybody reads somewhere. */
const TELLING = /[^a-z_]/i;
const ENDS_WORD = /[\p{L}\p{N}]$/u;
/** `x@evil.example` is not `x@evil.example.org`. */
const BEGINS_MORE = /^[.-]?[\p{L}\p{N}]/u;
const WORD_TRIES = 50;
const READ_LENGTH = { least: 6, most: 300 };

/** What of the arguments may be new to a connection: to whom, where to, how much; each once. */
export function traitsOf(args: Arguments): Trait[] {
  const traits: Trait[] = [];
  for (const address of recipientsOf(args)) {
    traits.push({ kind: 'address', value: address });
    const domain = address.split('@')[1];
    if (domain) traits.push({ kind: 'domain', value: domain });
  }
  for (const { name, value } of leaves(args)) {
    if (value === null || typeof value === 'boolean' || value === '') continue;
    const place = PLACES.find(([, names]) => names.test(name));
    if (place && !String(value).includes('@')) traits.push({ kind: place[0], value: String(value) });
    if (AMOUNT.test(name) && Number.isFinite(Number(value)))
      traits.push({ kind: 'amount', value: String(value) });
  }
  return [...new Map(traits.map((trait) => [`${trait.kind}:${trait.value}`, trait])).values()];
}

/** Values that a caller may have read: addresses, ids, links, titles. Long texts are its own words. */
export function readableValues(args: Arguments): string[] {
  const values = [...leaves(args)].flatMap(({ value }) => {
    const text = typeof value === 'string' ? value.trim() : '';
    const { length } = [...text];
    return length >= READ_LENGTH.least && length <= READ_LENGTH.most && TELLING.test(text) ? [text] : [];
  });
  return [...new Set([...recipientsOf(args), ...values])];
}

/**
 * What earlier calls have not had; pure. An amount is new when it is larger than all before: any other is different
 * nearly always.
 */
export function newTraits(args: Arguments, earlier: readonly Arguments[]): Map<string, string> {
  const seen = new Set<string>();
  let largest = 0;
  for (const trait of earlier.flatMap((each) => traitsOf(each).slice(0, MOST_VALUES))) {
    seen.add(`${trait.kind}:${trait.value}`);
    if (trait.kind === 'amount') largest = Math.max(largest, Math.abs(Number(trait.value)));
  }
  const says = new Map<string, string>();
  for (const { kind, value } of traitsOf(args).slice(0, MOST_VALUES)) {
    if (kind === 'domain') continue;
    const isNew = kind === 'amount' ? Math.abs(Number(value)) > largest : !seen.has(`${kind}:${value}`);
    if (!isNew) continue;
    const domain = kind === 'address' && !seen.has(`domain:${value.split('@')[1] ?? ''}`);
    const what = kind === 'amount' ? 'the largest amount so far' : domain ? 'and so is its domain' : '';
    says.set(value, what === '' ? 'new here' : `new here, ${what}`);
  }
  return says;
}

interface Read {
  readonly id: string;
  readonly functionTitle: string;
  readonly connectionName: string;
  readonly at: Date;
  readonly text: string;
}

/** "3 minutes". */
function ago(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return 'less than a minute';
  return minutes === 1 ? 'a minute' : `${minutes} minutes`;
}

/**
 * As a word of its own: an address may be the end of another one. Both in lower case. A text that holds it over and over
 * is not worth the time: there it counts in any case.
 */
function isWordIn(text: string, value: string): boolean {
  let at = text.indexOf(value);
  for (let tries = 0; at >= 0; tries += 1) {
    const end = at + value.length;
    const isWord =
      !ENDS_WORD.test(text.slice(Math.max(0, at - 1), at)) && !BEGINS_MORE.test(text.slice(end, end + 3));
    if (isWord || tries === WORD_TRIES) return true;
    at = text.indexOf(value, at + 1);
  }
  return false;
}

/** Where each value was read first; pure. @param reads newest first */
export function firstReads(
  values: readonly string[],
  reads: readonly Read[],
  asked: Date,
): Map<string, string> {
  const says = new Map<string, string>();
  for (const { id, functionTitle, connectionName, at, text } of reads) {
    const within = text.toLowerCase();
    for (const value of values) {
      // As it stands in JSON text.
      if (!isWordIn(within, JSON.stringify(value).slice(1, -1).toLowerCase())) continue;
      const before = `${ago(asked.getTime() - at.getTime())} before this was asked`;
      says.set(value, `came from “${functionTitle}” on ${connectionName}, read ${before} (${id})`);
    }
  }
  return says;
}

export class CardMarks {
  private readonly kept = new Map<string, Marks>();

  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'workspaceId' | 'log'>,
    private readonly payloads: PayloadService,
    private readonly facts: Pick<CallFacts, 'companyDomains'>,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** In time or not at all: what could not be found out is said in the note, and a mark that is missing never hurts. */
  async of(
    execution: ExecutionDocument,
    bindingHash: string,
    connection: ConnectionDocument,
    args: Arguments,
    patienceMs = this.patienceMs,
  ): Promise<Marks> {
    const key = `${execution._id}:${bindingHash}`;
    const known = this.kept.get(key);
    if (known) return known;
    const until = performance.now() + patienceMs;
    const [domains, fresh, reads] = await Promise.all([
      inTime(until, this.facts.companyDomains(connection)),
      inTime(until, this.newIn(execution, args, until)),
      inTime(until, this.readIn(execution, args, until)),
    ]);
    const marks = combined(args, domains ?? null, fresh ?? null, reads ?? null);
    if (domains !== undefined && fresh !== undefined && reads !== undefined) this.keep(key, marks);
    return marks;
  }

  /**
   * Against writes that a person approved and that got through: what was denied is no more familiar for that, a read
   * that names an address must not make it so, and no caller makes a value familiar by itself. On a private connection the member's own, so that no card tells of another's.
   */
  private async newIn(execution: ExecutionDocument, args: Arguments, until: number): Promise<Fresh> {
    if (traitsOf(args).length === 0) return { first: false, says: new Map() };
    const { models, workspaceId } = this.deps;
    const earlier = await models.executions
      .find(
        {
          workspaceId,
          connectionId: execution.connectionId,
          subject: execution.subject,
          status: 'succeeded',
          approvalStatus: 'approved',
          risk: { $ne: 'read' },
          createdAt: { $lt: execution.createdAt },
        },
        { bindingHash: 1 },
      )
      .sort({ createdAt: -1, _id: -1 })
      .limit(EARLIER)
      .maxTimeMS(Math.max(1, Math.ceil(until - performance.now())))
      .lean();
    if (earlier.length === 0) return { first: true, says: new Map() };
    const known: Arguments[] = [];
    for (let from = 0; from < earlier.length; from += AT_ONCE) {
      inTimeOnly(until);
      known.push(...(await this.payloads.argumentsOf(earlier.slice(from, from + AT_ONCE))));
    }
    return { first: false, says: newTraits(args, known) };
  }

  /** Of the hour before, whatever the connection; of private ones only what the same member's account showed. */
  private async readIn(execution: ExecutionDocument, args: Arguments, until: number): Promise<ReadBefore> {
    const values = readableValues(args).slice(0, MOST_VALUES);
    const says = new Map<string, string>();
    if (values.length === 0) return { says, more: false };
    const { models, workspaceId } = this.deps;
    const members = [execution.subject, execution.onBehalfOf].filter((id) => id !== null && id !== SHARED);
    const found = await models.executions
      .find(
        {
          workspaceId,
          callerId: execution.callerId,
          status: 'succeeded',
          risk: 'read',
          subject: { $in: [SHARED, ...members.flatMap((id) => id ?? [])] },
          createdAt: {
            $lt: execution.createdAt,
            $gt: new Date(execution.createdAt.getTime() - READ_WINDOW_MS),
          },
        },
        { functionTitle: 1, connectionName: 1, finishedAt: 1 },
      )
      .sort({ createdAt: -1, _id: -1 })
      .limit(READS + 1)
      .maxTimeMS(Math.max(1, Math.ceil(until - performance.now())))
      .lean();
    for (const { _id, functionTitle, connectionName, finishedAt } of found.slice(0, READS)) {
      // Results are large: one at a time, for as long as the card waits.
      inTimeOnly(until);
      const at = finishedAt ?? execution.createdAt;
      const result = at <= execution.createdAt ? await this.payloads.result({ _id }) : null;
      if (result === null) continue;
      const read = { id: _id, functionTitle, connectionName, at, text: JSON.stringify(result) };
      for (const [value, said] of firstReads(values, [read], execution.createdAt)) says.set(value, said);
    }
    return { says, more: found.length > READS };
  }

  private keep(key: string, marks: Marks): void {
    const oldest = this.kept.keys().next().value;
    if (this.kept.size >= KEPT && oldest !== undefined) this.kept.delete(oldest);
    this.kept.set(key, marks);
  }
}

interface Fresh {
  /** Nothing was written here before: everything is new. */
  readonly first: boolean;
  readonly says: ReadonlyMap<string, string>;
}

interface ReadBefore {
  readonly says: ReadonlyMap<string, string>;
  /** There were more reads than are looked at. */
  readonly more: boolean;
}

const NOT_TOLD = 'Who is outside the company could not be told.';
const NOT_COMPARED = 'Not compared with earlier calls: they could not be read in time.';
const FIRST = 'Nobody approved a write through this connection before: everything here is new.';
const MORE_READS = `Only the newest ${READS} reads of this caller were looked at.`;
const MORE_VALUES = `Only the first ${MOST_VALUES} values were compared with earlier calls.`;

function combined(
  args: Arguments,
  domains: readonly string[] | null,
  fresh: Fresh | null,
  reads: ReadBefore | null,
): Marks {
  const recipients = recipientsOf(args);
  const outside = new Set(domains ? recipients.filter((each) => isOutside(each, domains)) : []);
  const values = new Set([...outside, ...(fresh?.says.keys() ?? []), ...(reads?.says.keys() ?? [])]);
  const marks = [...values].map((value) => ({
    value,
    says: [
      ...(outside.has(value) ? ['outside'] : []),
      ...[fresh?.says.get(value), reads?.says.get(value)].flatMap((each) => each ?? []),
    ],
  }));
  const isCut = [traitsOf(args), readableValues(args)].some(({ length }) => length > MOST_VALUES);
  const notes = [
    ...(domains === null && recipients.length > 0 ? [NOT_TOLD] : []),
    ...(fresh === null || reads === null
      ? [NOT_COMPARED]
      : [
          ...(fresh.first ? [FIRST] : []),
          ...(reads.more ? [MORE_READS] : []),
          ...(isCut ? [MORE_VALUES] : []),
        ]),
  ];
  return { marks, note: notes.length === 0 ? null : notes.join(' ') };
}

/** Half of an answer would pass for all of it. @throws Error when the time is over */
function inTimeOnly(until: number): void {
  if (performance.now() > until) throw new Error('the card waits no longer');
}

/** Undefined when it is not there in time, or fails: whoever asked goes on without. */
function inTime<T>(until: number, work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), Math.max(0, until - performance.now()));
    const done = (value: T | undefined): void => {
      clearTimeout(timer);
      resolve(value);
    };
    work.then(done, () => done(undefined));
  });
}
