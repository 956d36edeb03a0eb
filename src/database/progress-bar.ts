import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/** Where a progress bar is drawn; `process.stderr` fits. Nothing is drawn unless it is a terminal. */
export interface ProgressOutput {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

export interface ProgressBarOptions {
  readonly output: ProgressOutput;
  readonly title: string;
  /** Folder the downloading program writes into; its largest file is taken as what has arrived. */
  readonly folder: string;
  readonly totalBytes: number;
}

const WIDTH = 30;
const REDRAW_MS = 100;

/**
 * Draws one line that follows a download made by another program, by looking at the file it writes: pip, for one,
 * has no machine-readable progress before version 24. Returns a function that ends the line.
 */
export function followDownload(options: ProgressBarOptions): () => void {
  const { output, title, folder, totalBytes } = options;
  if (!output.isTTY) return () => {};
  const draw = (bytes: number): void => {
    const share = Math.min(1, bytes / totalBytes);
    const filled = Math.round(share * WIDTH);
    const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
    const megabytes = `${(bytes / 1e6).toFixed(1)} of ${(totalBytes / 1e6).toFixed(1)} MB`;
    output.write(`\r${title} ${bar} ${String(Math.round(share * 100)).padStart(3)} % ${megabytes}`);
  };
  let finished = false;
  draw(0);
  const timer = setInterval(
    () => void largestFile(folder).then((bytes) => finished || draw(bytes)),
    REDRAW_MS,
  );
  return () => {
    clearInterval(timer);
    finished = true;
    output.write('\r\x1b[2K');
  };
}

async function largestFile(folder: string): Promise<number> {
  // Files come and go while the other program works; what vanished between the two calls counts as nothing.
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(path.join(folder, name)).then(
        (found) => (found.isFile() ? found.size : 0),
        () => 0,
      ),
    ),
  );
  return Math.max(0, ...sizes);
}
