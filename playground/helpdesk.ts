/** A small real helpdesk on loopback: what the playground's REST connection talks to, and what tests break on purpose. */
import { z } from 'zod';
import { helpdeskDocument, PRIORITIES, STATUSES } from './helpdesk-document.js';
import { type Answer, type Faults, json, listen, type ReceivedRequest } from './loopback.js';

export interface Ticket {
  readonly id: string;
  readonly subject: string;
  readonly body: string;
  readonly priority: (typeof PRIORITIES)[number];
  readonly status: (typeof STATUSES)[number];
  readonly requester: string;
  readonly created_at: string;
  readonly comments: readonly { readonly text: string; readonly created_at: string }[];
}

export interface HelpdeskOptions {
  /** 0 for any free one. */
  readonly port: number;
  readonly apiKey: string;
  /** The tickets to start with, otherwise four of its own. The array itself is not changed. */
  readonly state?: readonly Ticket[];
  readonly now?: () => Date;
}

/** `delay` and `fail` apply to every request but the one for the document. */
export interface Helpdesk extends Faults {
  readonly origin: string;
  readonly openapiUrl: string;
  /** Everything received since the start but requests for the document; refused requests too. */
  readonly requests: readonly ReceivedRequest[];
  tickets(): readonly Ticket[];
  close(): Promise<void>;
}

const newTicket = z.strictObject({
  subject: z.string().min(1).max(200),
  body: z.string().min(1).max(10_000),
  priority: z.enum(PRIORITIES).default('normal'),
  requester: z.email(),
});
const ticketChange = z.strictObject({
  subject: z.exactOptional(z.string().min(1).max(200)),
  priority: z.exactOptional(z.enum(PRIORITIES)),
  status: z.exactOptional(z.enum(STATUSES)),
});
const newComment = z.strictObject({ text: z.string().min(1).max(10_000) });

class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const DOCUMENT = '/openapi.json';

export async function startHelpdesk(options: HelpdeskOptions): Promise<Helpdesk> {
  const now = options.now ?? (() => new Date());
  const desk = new Desk(options.state ?? seed(now()), now);
  const requests: ReceivedRequest[] = [];
  const faults: Faults = { delay: 0, fail: undefined };

  function answer(request: ReceivedRequest): Answer {
    if (request.url === DOCUMENT) return json(200, helpdeskDocument(server.origin));
    try {
      if (request.headers['x-api-key'] !== options.apiKey)
        throw new Refusal(401, 'The API key is missing or wrong.');
      return desk.answer(request);
    } catch (error) {
      if (error instanceof Refusal) return json(error.status, { message: error.message });
      throw error;
    }
  }

  const server = await listen(options.port, answer, faults, (request) => {
    if (request.url === DOCUMENT) return false;
    requests.push(request);
    return true;
  });
  return Object.assign(faults, {
    origin: server.origin,
    openapiUrl: `${server.origin}${DOCUMENT}`,
    requests,
    tickets: () => desk.tickets,
    close: () => server.close(),
  });
}

/** The tickets and what can be done with them. */
class Desk {
  tickets: readonly Ticket[];
  private next: number;

  constructor(
    tickets: readonly Ticket[],
    private readonly now: () => Date,
  ) {
    this.tickets = tickets;
    this.next = 101 + tickets.length;
  }

  /** @throws Refusal */
  answer(request: ReceivedRequest): Answer {
    const { pathname, searchParams } = new URL(request.url, 'http://helpdesk');
    const route = `${request.method} ${pathname.replace(/^\/tickets\/(?!search$)[^/]+/, '/tickets/{id}')}`;
    const id = decodeURIComponent(pathname.split('/')[2] ?? '');
    switch (route) {
      case 'GET /tickets':
        return json(200, this.list(searchParams.get('status')));
      case 'GET /tickets/search':
        return json(200, this.search(searchParams.get('q') ?? ''));
      case 'POST /tickets':
        return json(201, this.create(parsed(newTicket, request.body)));
      case 'GET /tickets/{id}':
        return json(200, this.find(id));
      case 'PATCH /tickets/{id}':
        return json(200, this.change(id, parsed(ticketChange, request.body)));
      case 'POST /tickets/{id}/comments': {
        const comments = [
          ...this.find(id).comments,
          { ...parsed(newComment, request.body), created_at: this.time() },
        ];
        return json(200, this.change(id, { comments }));
      }
      case 'DELETE /tickets/{id}':
        this.find(id);
        this.tickets = this.tickets.filter((ticket) => ticket.id !== id);
        return { status: 204 };
      default:
        throw new Refusal(404, `There is no ${request.method} ${pathname}.`);
    }
  }

  private list(status: string | null): Ticket[] {
    if (status !== null && !STATUSES.some((known) => known === status)) {
      throw new Refusal(400, `status must be one of ${STATUSES.join(', ')}.`);
    }
    return this.tickets.filter((ticket) => status === null || ticket.status === status).toReversed();
  }

  private search(words: string): Ticket[] {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    if (wanted.length === 0) throw new Refusal(400, 'q must name at least one word.');
    return this.tickets.filter(({ subject, body }) => {
      const text = `${subject} ${body}`.toLowerCase();
      return wanted.every((word) => text.includes(word));
    });
  }

  private create(fields: z.infer<typeof newTicket>): Ticket {
    const ticket: Ticket = {
      id: `T-${this.next++}`,
      ...fields,
      status: 'open',
      created_at: this.time(),
      comments: [],
    };
    this.tickets = [...this.tickets, ticket];
    return ticket;
  }

  private change(id: string, fields: Partial<Ticket>): Ticket {
    const ticket = { ...this.find(id), ...fields };
    this.tickets = this.tickets.map((known) => (known.id === id ? ticket : known));
    return ticket;
  }

  private find(id: string): Ticket {
    const ticket = this.tickets.find((known) => known.id === id);
    if (ticket === undefined) throw new Refusal(404, `There is no ticket ${id}.`);
    return ticket;
  }

  private time(): string {
    return this.now().toISOString();
  }
}

/** @throws Refusal naming the first field that is wrong */
function parsed<Output>(schema: z.ZodType<Output>, body: string): Output {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new Refusal(400, 'The body is not JSON.');
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Refusal(422, `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'is not valid'}`);
}

function seed(now: Date): Ticket[] {
  const hoursAgo = (hours: number): string => new Date(now.getTime() - hours * 3_600_000).toISOString();
  return [
    {
      id: 'T-101',
      subject: 'The coffee machine on the third floor sings',
      body: 'It plays a little tune at every espresso. People like it, but not in meetings.',
      priority: 'low',
      status: 'open',
      requester: 'ben@siesta.example',
      created_at: hoursAgo(50),
      comments: [{ text: 'Facilities will look on Thursday.', created_at: hoursAgo(48) }],
    },
    {
      id: 'T-102',
      subject: 'Cannot open the invoice of March',
      body: 'The PDF of invoice 2291 shows an empty page. The customer waits for it.',
      priority: 'high',
      status: 'open',
      requester: 'cleo@siesta.example',
      created_at: hoursAgo(26),
      comments: [],
    },
    {
      id: 'T-103',
      subject: 'New laptop for Dana',
      body: 'Dana starts on the first. Please have a laptop with the usual set-up ready.',
      priority: 'normal',
      status: 'waiting',
      requester: 'ada@siesta.example',
      created_at: hoursAgo(20),
      comments: [{ text: 'Ordered, arrives on Friday.', created_at: hoursAgo(19) }],
    },
    {
      id: 'T-104',
      subject: 'Password reset for the print server',
      body: 'Solved itself after a restart.',
      priority: 'normal',
      status: 'solved',
      requester: 'cleo@siesta.example',
      created_at: hoursAgo(3),
      comments: [],
    },
  ];
}
