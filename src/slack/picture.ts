/** Pictures for Slack: drawn in a worker thread, and shared in a conversation. */
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { WebClient } from '@slack/web-api';

export interface Picture {
  readonly svg: string;
  /** Of the file, with its ending. */
  readonly name: string;
  /** What it shows, for those who do not see it: the message that comes with it. */
  readonly text: string;
}

/** Half a second on an idle machine. */
const LONGEST_MS = 20_000;

/** @returns a PNG. Error: it took too long, or the SVG is none */
export function renderPng(svg: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerFile(), { workerData: svg, env: {}, execArgv: [], stdin: false });
    const timer = setTimeout(() => settle(() => reject(new Error('the picture took too long'))), LONGEST_MS);
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      void worker.terminate();
      act();
    };
    worker.once('message', (png: Uint8Array) => settle(() => resolve(png)));
    worker.once('error', (error) => settle(() => reject(error)));
  });
}

/**
 * Shares it in a conversation, as a message of its own. Slack takes no picture in a block before it has processed the
 * file, which it does later (slackapi/python-slack-sdk#1521); a message with a file waits for that by itself.
 * @param channel `C…`, `G…` or `D…`: a user's id is refused (slackapi/bolt-js#2115)
 */
export async function sharePicture(client: WebClient, channel: string, picture: Picture): Promise<void> {
  const png = await renderPng(picture.svg);
  await client.files.uploadV2({
    channel_id: channel,
    file: Buffer.from(png),
    filename: picture.name,
    title: picture.name,
    initial_comment: picture.text,
  });
}

/** Under vitest this file is TypeScript, which a worker thread cannot load: the built one stands in `dist`. */
function workerFile(): URL {
  const beside = new URL('./picture-worker.js', import.meta.url);
  return existsSync(beside) ? beside : new URL('../../dist/src/slack/picture-worker.js', import.meta.url);
}
