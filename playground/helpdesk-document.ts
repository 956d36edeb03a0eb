/** The helpdesk's description of itself: OpenAPI 3.1. */

export const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const;
export const STATUSES = ['open', 'waiting', 'solved'] as const;

const json = (schema: object) => ({ content: { 'application/json': { schema } } });
const ticket = { $ref: '#/components/schemas/Ticket' };
const answers = (description: string, schema: object) => ({
  200: { description, ...json(schema) },
  default: { $ref: '#/components/responses/Problem' },
});
const idParameter = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'Number of the ticket, such as T-101.',
  schema: { type: 'string', maxLength: 20 },
};

/** @param origin where the service listens */
export function helpdeskDocument(origin: string): object {
  return {
    openapi: '3.1.0',
    info: { title: 'Siesta Helpdesk', version: '1.0.0', description: 'Tickets of the playground company.' },
    servers: [{ url: origin }],
    security: [{ key: [] }],
    paths: {
      '/tickets': {
        get: {
          operationId: 'list_tickets',
          summary: 'List tickets',
          parameters: [
            {
              name: 'status',
              in: 'query',
              description: 'Only tickets with this status.',
              schema: { type: 'string', enum: STATUSES },
            },
          ],
          responses: answers('The tickets, newest first.', { type: 'array', items: ticket }),
        },
        post: {
          operationId: 'create_ticket',
          summary: 'Create a ticket',
          description: 'Opens a ticket; the requester gets a mail about it.',
          requestBody: { required: true, ...json({ $ref: '#/components/schemas/NewTicket' }) },
          responses: {
            201: { description: 'The ticket.', ...json(ticket) },
            default: { $ref: '#/components/responses/Problem' },
          },
        },
      },
      '/tickets/search': {
        get: {
          operationId: 'search_tickets',
          summary: 'Search tickets',
          parameters: [
            {
              name: 'q',
              in: 'query',
              required: true,
              description: 'Words in subject or text.',
              schema: { type: 'string', minLength: 1, maxLength: 200 },
            },
          ],
          responses: answers('The tickets that have all words.', { type: 'array', items: ticket }),
        },
      },
      '/tickets/{id}': {
        parameters: [idParameter],
        get: {
          operationId: 'get_ticket',
          summary: 'Read a ticket',
          responses: answers('The ticket with its comments.', ticket),
        },
        patch: {
          operationId: 'update_ticket',
          summary: 'Change a ticket',
          requestBody: { required: true, ...json({ $ref: '#/components/schemas/TicketChange' }) },
          responses: answers('The ticket as it is now.', ticket),
        },
        delete: {
          operationId: 'delete_ticket',
          summary: 'Delete a ticket',
          description: 'Deletes the ticket with all its comments, for good.',
          responses: {
            204: { description: 'Deleted.' },
            default: { $ref: '#/components/responses/Problem' },
          },
        },
      },
      '/tickets/{id}/comments': {
        parameters: [idParameter],
        post: {
          operationId: 'add_comment',
          summary: 'Comment on a ticket',
          requestBody: { required: true, ...json({ $ref: '#/components/schemas/NewComment' }) },
          responses: answers('The ticket with its comments.', ticket),
        },
      },
    },
    components: {
      securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-API-Key' } },
      responses: {
        Problem: {
          description: 'What was wrong.',
          ...json({ type: 'object', properties: { message: { type: 'string' } }, required: ['message'] }),
        },
      },
      schemas: {
        NewTicket: {
          type: 'object',
          additionalProperties: false,
          required: ['subject', 'body', 'requester'],
          properties: {
            subject: { type: 'string', minLength: 1, maxLength: 200 },
            body: { type: 'string', minLength: 1, maxLength: 10_000 },
            priority: { type: 'string', enum: PRIORITIES, default: 'normal' },
            requester: {
              type: 'string',
              format: 'email',
              description: 'Mail address of whoever needs help.',
            },
          },
        },
        TicketChange: {
          type: 'object',
          additionalProperties: false,
          properties: {
            subject: { type: 'string', minLength: 1, maxLength: 200 },
            priority: { type: 'string', enum: PRIORITIES },
            status: { type: 'string', enum: STATUSES },
          },
        },
        NewComment: {
          type: 'object',
          additionalProperties: false,
          required: ['text'],
          properties: { text: { type: 'string', minLength: 1, maxLength: 10_000 } },
        },
        Comment: {
          type: 'object',
          properties: { text: { type: 'string' }, created_at: { type: 'string', format: 'date-time' } },
        },
        Ticket: {
          type: 'object',
          properties: {
            id: { type: 'string' },
            subject: { type: 'string' },
            body: { type: 'string' },
            priority: { type: 'string', enum: PRIORITIES },
            status: { type: 'string', enum: STATUSES },
            requester: { type: 'string', format: 'email' },
            created_at: { type: 'string', format: 'date-time' },
            comments: { type: 'array', items: { $ref: '#/components/schemas/Comment' } },
          },
        },
      },
    },
  };
}
