/** What the driver's errors come to for a caller: only a database that is away may say "nothing was executed". */
import {
  MongoClient,
  MongoError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoServerError,
  MongoUnexpectedServerResponseError,
} from 'mongodb';
import { describe, expect, it } from 'vitest';
import { problemOf } from '../../src/http/problem.js';
import { DirectoryUnavailable } from '../../src/services/directory.js';
import { silentLog } from '../setup/database.js';

const nobodyThere: unknown = await MongoClient.connect('mongodb://127.0.0.1:1', {
  serverSelectionTimeoutMS: 50,
}).catch((error: unknown) => error);
const steppedDown = new MongoServerError({ message: 'not primary', code: 10107 });
steppedDown.addErrorLabel('RetryableWriteError');

describe('an error of the database', () => {
  it.each([
    ['no server', nobodyThere],
    ['a broken connection', new MongoNetworkError('reset')],
    ['a frozen server', new MongoNetworkTimeoutError('timed out')],
    [
      'a retry that finds no known server',
      new MongoUnexpectedServerResponseError('does not support retryable writes'),
    ],
    ['a primary that stepped down', steppedDown],
    ['Slack not answering', new DirectoryUnavailable('a user', new Error('timeout'))],
  ])('is 503, to be tried again: %s', (_what, error) => {
    expect(problemOf(error, silentLog)).toMatchObject({
      status: 503,
      code: 'unavailable',
      retryAfter: expect.any(Number),
      members: { executed: false, retryable: true },
    });
  });

  it.each([
    ['a bug in a query', new MongoInvalidArgumentError('bad')],
    ['a refusal', new MongoServerError({ message: 'E11000 duplicate key', code: 11000 })],
    ['anything else of the driver', new MongoError('?')],
    ['anything else', new TypeError('secret details')],
  ])('is 500 with an id and nothing of it otherwise: %s', (_what, error) => {
    const problem = problemOf(error, silentLog);
    expect(problem.status).toBe(500);
    expect(problem.detail).not.toContain(error.message);
    expect(problem.members).toEqual({ log_id: expect.stringMatching(/^[0-9a-f]{8}$/) });
  });
});
