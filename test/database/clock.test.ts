import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { createDatabaseClock, type DatabaseClock } from '../../src/database/clock.js';
import { silentLog, testDatabase } from '../setup/database.js';

const TEN_MINUTES = 600_000;
const DATABASE_START = Date.UTC(2025, 0, 1, 12);

/** A machine and a database in one imagined universe, where time passes only when told to. */
function universe() {
  const state = { elapsed: 0, machineAhead: 0, databaseSet: 0, roundTrip: 0, failing: false, reads: 0 };
  return {
    state,
    databaseTime: () => DATABASE_START + state.databaseSet + state.elapsed,
    options: {
      log: silentLog,
      intervalMs: 3_600_000,
      monotonicNow: () => 5_000 + state.elapsed,
      wallNow: () => DATABASE_START + state.elapsed + state.machineAhead,
      readServerTime: async (): Promise<Date> => {
        state.reads += 1;
        if (state.failing) throw new Error('no answer');
        state.elapsed += state.roundTrip / 2;
        const answer = new Date(DATABASE_START + state.databaseSet + state.elapsed);
        state.elapsed += state.roundTrip / 2;
        return answer;
      },
    },
  };
}

describe('createDatabaseClock', () => {
  let world: ReturnType<typeof universe>;
  let clock: DatabaseClock;
  beforeEach(() => {
    world = universe();
  });

  it.each([TEN_MINUTES, -TEN_MINUTES])(
    'shows database time on a machine that is off by %i ms',
    async (ahead) => {
      world.state.machineAhead = ahead;
      clock = await createDatabaseClock(world.options);
      expect(clock.now().getTime()).toBe(world.databaseTime());
      expect(clock.skewMs()).toBe(ahead);
      world.state.elapsed += 42_000;
      expect(clock.now().getTime()).toBe(world.databaseTime());
    },
  );

  it('does not move when somebody sets the clock of the machine', async () => {
    clock = await createDatabaseClock(world.options);
    world.state.machineAhead = TEN_MINUTES;
    expect(clock.now().getTime()).toBe(world.databaseTime());
    expect(clock.skewMs()).toBe(TEN_MINUTES);
  });

  it('takes the middle of the round trip for the time of the answer', async () => {
    world.state.roundTrip = 400;
    clock = await createDatabaseClock(world.options);
    expect(clock.now().getTime()).toBe(world.databaseTime());
  });

  it('does not go backwards between two readings that differ a little', async () => {
    clock = await createDatabaseClock(world.options);
    const before = clock.now().getTime();
    world.state.databaseSet = -300;
    await clock.refresh();
    expect(clock.now().getTime()).toBe(before);
    world.state.elapsed += 300;
    expect(clock.now().getTime()).toBe(before);
    world.state.elapsed += 1;
    expect(clock.now().getTime()).toBe(before + 1);
  });

  it('follows the database when its clock is set back', async () => {
    clock = await createDatabaseClock(world.options);
    clock.now();
    world.state.databaseSet = -TEN_MINUTES;
    await clock.refresh();
    expect(clock.now().getTime()).toBe(world.databaseTime());
  });

  it('ignores an answer that took too long to tell anything', async () => {
    clock = await createDatabaseClock(world.options);
    world.state.databaseSet = 900;
    world.state.roundTrip = 1_200;
    await clock.refresh();
    expect(clock.now().getTime()).toBe(world.databaseTime() - 900);
  });

  it('goes on with the last reading while the database is away', async () => {
    clock = await createDatabaseClock(world.options);
    world.state.failing = true;
    await expect(clock.refresh()).rejects.toThrow('no answer');
    world.state.elapsed += 5_000;
    expect(clock.now().getTime()).toBe(world.databaseTime());
  });

  it('is not there without a first reading', async () => {
    world.state.failing = true;
    await expect(createDatabaseClock(world.options)).rejects.toThrow('no answer');
  });

  it('reads again by itself, after a failure too, until it is stopped', async () => {
    clock = await createDatabaseClock({ ...world.options, intervalMs: 5 });
    world.state.failing = true;
    await expect.poll(() => world.state.reads).toBeGreaterThan(3);
    world.state.failing = false;
    world.state.databaseSet = TEN_MINUTES;
    await expect.poll(() => clock.now().getTime()).toBe(world.databaseTime());
    clock.stop();
    await sleep(20);
    const reads = world.state.reads;
    await sleep(50);
    expect(world.state.reads).toBe(reads);
  });

  it('agrees with $$NOW of a real server', async () => {
    const { database } = await testDatabase();
    const things = database.connection.collection('things');
    await things.insertOne({ name: 'now' });
    const before = database.clock.now();
    await things.updateOne({ name: 'now' }, [{ $set: { at: '$$NOW' } }]);
    const after = database.clock.now();
    const found = await things.findOne({ name: 'now' });
    // The server and this test are one machine: what remains is half a round trip.
    expect(found?.at.getTime()).toBeGreaterThanOrEqual(before.getTime() - 20);
    expect(found?.at.getTime()).toBeLessThanOrEqual(after.getTime() + 20);
  });
});
