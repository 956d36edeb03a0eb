/** What a call may touch: the limits of its connection, checked with reads of its own. One for each call. */
import { UpstreamError } from '../../errors.js';
import type { CallContext } from '../framework.js';
import { type JsonObject, mapTen, textOf } from '../json.js';
import { ALL_DRIVES, callDrive } from './api.js';
import { Boundary, type Limits, limitsOf, PLACE_FIELDS, type Place, placeOf } from './limits.js';

export class Access {
  readonly limits: Limits | null;
  readonly #boundary: Boundary | null;

  constructor(private readonly context: CallContext) {
    this.limits = limitsOf(context.config);
    this.#boundary = this.limits && new Boundary(this.limits, (id) => this.#lookUp(id));
  }

  /** True once items were left out because too many folders would have had to be looked up. */
  get exhausted(): boolean {
    return this.#boundary?.exhausted ?? false;
  }

  /** The shared drive that everything allowed is in. What is elsewhere is then not even searched. */
  get onlyDrive(): string | undefined {
    const { folders = [], drives = [] } = this.limits ?? {};
    return folders.length === 0 && drives.length === 1 ? drives[0] : undefined;
  }

  /**
   * Reads an item; nothing of one that is outside is let through.
   * @param fields of a file resource, besides those that tell where it is
   * @throws UpstreamError `forbidden_upstream`, definite, outside the limits
   */
  async item(id: string, fields: readonly string[]): Promise<JsonObject> {
    const all = new Set([...(this.#boundary ? PLACE_FIELDS : []), ...fields]);
    const query = { ...ALL_DRIVES, fields: [...all].join(',') };
    if (!this.#boundary) return callDrive(this.context, 'GET', ['files', id], { query });
    const file = await unlessHidden(callDrive(this.context, 'GET', ['files', id], { query }));
    if (file === null || !(await this.#boundary.contains(placeOf(file)))) throw outside();
    return file;
  }

  /** Asks nothing of Drive where there are no limits. @throws UpstreamError as `item` */
  async require(id: string): Promise<void> {
    if (this.#boundary) await this.item(id, ['id']);
  }

  /**
   * As `item`, for what moves, renames or removes it: the chosen folders themselves stay what the admin chose.
   * @throws UpstreamError as `item`
   */
  async changeable(id: string, fields: readonly string[]): Promise<JsonObject> {
    const file = await this.item(id, fields);
    if (this.#boundary?.isChosen(textOf(file.id))) {
      const message = 'This is one of the folders that the connection is limited to; it stays as it is.';
      throw new UpstreamError('forbidden_upstream', message, { definite: true });
    }
    return file;
  }

  /** Those that are inside, in order. @param files with at least `PLACE_FIELDS` */
  async visible(files: readonly JsonObject[]): Promise<readonly JsonObject[]> {
    const boundary = this.#boundary;
    if (!boundary) return files;
    const kept = await mapTen(files, async (file) =>
      (await boundary.contains(placeOf(file))) ? [file] : [],
    );
    return kept.flat();
  }

  /**
   * The folder that something new goes into: the one asked for, else the first that was chosen, else Drive's own
   * choice (undefined). @throws UpstreamError as `item`
   */
  async parentFor(asked: string | undefined): Promise<string | undefined> {
    if (asked === undefined) return this.limits?.folders[0] ?? this.limits?.drives[0];
    await this.require(asked);
    return asked;
  }

  /** Whether the folder that holds the item may be told. */
  hasVisibleParent(id: string): boolean {
    return !this.#boundary?.isChosen(id);
  }

  async #lookUp(id: string): Promise<Place | null> {
    const query = { ...ALL_DRIVES, fields: PLACE_FIELDS.join(',') };
    const file = await unlessHidden(callDrive(this.context, 'GET', ['files', id], { query }));
    return file && placeOf(file);
  }
}

/** Null for what does not exist or may not be read. */
async function unlessHidden(reading: Promise<JsonObject>): Promise<JsonObject | null> {
  try {
    return await reading;
  } catch (error) {
    const isHidden =
      error instanceof UpstreamError && (error.status === 404 || error.code === 'forbidden_upstream');
    if (isHidden) return null;
    throw error;
  }
}

/** The same words for what is elsewhere and for what does not exist: nobody learns which. */
function outside(): UpstreamError {
  const message =
    'This item is not in the folders that the connection is limited to (or it does not exist). An admin chooses the folders.';
  return new UpstreamError('forbidden_upstream', message, { definite: true });
}
