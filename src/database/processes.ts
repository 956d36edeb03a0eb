import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface RunningProcess {
  /** The same for as long as the process lives; another for a later process with the same id. */
  readonly identity: string;
  /** Its command line, arguments joined by spaces. */
  readonly command: string;
}

/** What runs under a process id, or `undefined` if nothing does (a zombie is nothing). */
export function inspectProcess(pid: number): Promise<RunningProcess | undefined> {
  const inspect = process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
  return inspect.catch(() => undefined);
}

async function fromProc(pid: number): Promise<RunningProcess | undefined> {
  const [status, cmdline, boot] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/cmdline`, 'utf8'),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
  ]);
  // proc(5): the name in parentheses may hold spaces; after it, state is the first field and start time the 20th.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z') return undefined;
  return { identity: `${boot.trim()}/${fields[19]}`, command: cmdline.split('\0').join(' ').trim() };
}

async function fromPs(pid: number): Promise<RunningProcess | undefined> {
  const { stdout } = await run(
    'ps',
    ['-ww', '-o', 'stat=', '-o', 'lstart=', '-o', 'args=', '-p', String(pid)],
    {
      env: { ...process.env, LC_ALL: 'C' },
    },
  );
  // lstart is five words: `Sat Nov 22 22:43:00 2025`.
  const match = /^(\S+)\s+(\S+ +\S+ +\S+ +\S+ +\S+)\s+(.*)$/.exec(stdout.trim());
  if (!match?.[1] || match[1].startsWith('Z')) return undefined;
  return { identity: match[2] ?? '', command: match[3] ?? '' };
}
