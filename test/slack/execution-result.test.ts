/** What a tool execution shows of its result, long after it came. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { executionDetail } from '../../blocks/executions.js';
import { validateView } from '../../blocks/validator/index.js';
import type { ExecutionDocument } from '../../models/types.js';
import { executionDetailOf } from '../../src/slack/features/executions/rows.js';
import { readTexts } from '../blocks/what-slack-reads.js';
import { type DecidersApp, startDecidersApp } from '../services/deciders-app.js';

let app: DecidersApp;
beforeAll(async () => {
  app = await startDecidersApp();
});
afterAll(() => app.close());

async function shown(execution: ExecutionDocument, change: Partial<ExecutionDocument>): Promise<string> {
  const view = executionDetail(await executionDetailOf(app, 'U0BEN', { ...execution, ...change }));
  expect(validateView(view)).toEqual([]);
  return readTexts(view).join('\n');
}

it('says that it is empty or no longer kept, and where only its beginning is; as Details do', async () => {
  const execution = await app.ask(await app.desk());
  const CUT = 'only its beginning is kept';
  const gone = await shown(execution, { status: 'succeeded' });
  expect(gone).toContain('Result\nempty, or no longer kept');
  expect(gone).not.toContain(CUT);
  await app.services.payloads.storeResult(execution, { beginning: '[1,2', bytes: 300_000 });
  expect(await shown(execution, { status: 'succeeded', truncated: true })).toMatch(
    /Result\n[\s\S]*\[1,2[\s\S]*only its beginning is kept/,
  );
  expect(await shown(execution, { status: 'succeeded' })).not.toContain(CUT);
  expect(await shown(execution, { status: 'failed' })).not.toMatch(/Result|no longer kept/);
});
