/**
 * The folders and shared drives that a connection is limited to, and whether an item lies inside them. Pure but for
 * the look-up that is passed in. In doubt an item is outside: one of its parents outside or not readable, a circle,
 * a path that is too deep, a shortcut that leads out.
 */
import { z } from 'zod';
import type { JsonValue } from '../framework.js';
import { type JsonObject, objectOf, textOf, textOrNull, textsIn } from '../json.js';

/** More would not fit into one query. */
const MOST_CHOSEN = 20;
const DEEPEST = 40;
const MOST_LOOKUPS = 200;

export interface Limits {
  readonly folders: readonly string[];
  readonly drives: readonly string[];
}

/** Where an item is. */
export interface Place {
  readonly id: string;
  readonly parents: readonly string[];
  readonly driveId: string | null;
  /** What a shortcut leads to. */
  readonly targetId: string | null;
}

/** What must be asked of the API for `placeOf`. */
export const PLACE_FIELDS = ['id', 'parents', 'driveId', 'shortcutDetails(targetId)'] as const;

/** @param file a file resource with at least `PLACE_FIELDS` */
export function placeOf(file: JsonObject): Place {
  return {
    id: textOf(file.id),
    parents: textsIn(file.parents),
    driveId: textOrNull(file.driveId),
    targetId: textOrNull(objectOf(file.shortcutDetails).targetId),
  };
}

/** Null for one that does not exist or may not be read. */
export type LookUp = (id: string) => Promise<Place | null>;

export class Boundary {
  readonly #chosen: ReadonlySet<string>;
  readonly #drives: ReadonlySet<string>;
  readonly #found = new Map<string, Promise<Place | null>>();
  readonly #inside = new Set<string>();
  /** True once an item was taken as outside only because no more look-ups are allowed in one call. */
  exhausted = false;

  constructor(
    readonly limits: Limits,
    private readonly lookUp: LookUp,
  ) {
    // The id of a shared drive is also that of its top folder.
    this.#chosen = new Set([...limits.folders, ...limits.drives]);
    this.#drives = new Set(limits.drives);
  }

  /** Whether it is one of the chosen folders or drives itself. */
  isChosen(id: string): boolean {
    return this.#chosen.has(id);
  }

  /** @throws what `lookUp` throws */
  async contains(place: Place): Promise<boolean> {
    if (!(await this.#leadsIn(place, new Set()))) return false;
    if (place.targetId === null) return true;
    const target = await this.#find(place.targetId);
    return target !== null && (await this.#leadsIn(target, new Set()));
  }

  /** Whether every way up from the item ends in what was chosen. */
  async #leadsIn(place: Place, trail: ReadonlySet<string>): Promise<boolean> {
    if (this.#chosen.has(place.id) || this.#inside.has(place.id)) return true;
    if (place.driveId !== null && this.#drives.has(place.driveId)) return true;
    if (place.parents.length === 0 || trail.has(place.id) || trail.size >= DEEPEST) return false;
    const longer = new Set([...trail, place.id]);
    for (const parentId of place.parents) {
      if (this.#chosen.has(parentId)) continue;
      const parent = await this.#find(parentId);
      if (parent === null || !(await this.#leadsIn(parent, longer))) return false;
    }
    this.#inside.add(place.id);
    return true;
  }

  #find(id: string): Promise<Place | null> {
    const known = this.#found.get(id);
    if (known) return known;
    if (this.#found.size >= MOST_LOOKUPS) {
      this.exhausted = true;
      return Promise.resolve(null);
    }
    const found = this.lookUp(id);
    this.#found.set(id, found);
    return found;
  }
}

/** Null where the connection is not limited. */
export function limitsOf(config: Readonly<Record<string, JsonValue>>): Limits | null {
  const ids = (value: JsonValue | undefined): string[] => [value ?? []].flat().flatMap(wordsIn);
  const limits = { folders: ids(config.folders), drives: ids(config.shared_drives) };
  return limits.folders.length + limits.drives.length === 0 ? null : limits;
}

/**
 * A setting that names folders or shared drives by id or address, as typed or as a list; kept as ids, one a line,
 * which is how the form shows it again.
 */
export const chosenPlaces = z.exactOptional(
  z.union([z.string(), z.array(z.string())]).transform((typed, check) => {
    const ids = [...new Set([typed].flat().flatMap(wordsIn).map(readId))];
    if (ids.includes(null)) {
      check.addIssue({
        code: 'custom',
        message:
          'Name each folder by its id or its address, such as https://drive.google.com/drive/folders/…',
      });
    }
    if (ids.length > MOST_CHOSEN) {
      check.addIssue({ code: 'custom', message: `Name at most ${MOST_CHOSEN}.` });
    }
    return ids.join('\n');
  }),
);

function wordsIn(value: JsonValue): string[] {
  return textOf(value)
    .split(/[\s,;]+/)
    .filter((word) => word !== '');
}

/** An id of Drive: at least 10 characters, which also keeps the alias `root` out. */
function readId(word: string): string | null {
  const id = /^[a-z]+:/i.test(word) ? idInAddress(word) : word;
  return id !== null && /^[\w-]{10,200}$/.test(id) ? id : null;
}

function idInAddress(address: string): string | null {
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  if (url.protocol !== 'https:' || url.hostname !== 'drive.google.com') return null;
  return /\/folders\/([\w-]+)$/.exec(url.pathname.replace(/\/+$/, ''))?.[1] ?? url.searchParams.get('id');
}
