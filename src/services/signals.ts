import { EventEmitter } from 'node:events';

interface Events {
  /** An execution is queued and may be claimed. */
  queued: [executionId: string];
  /** An execution changed; whoever waits for it should look. */
  changed: [executionId: string];
  /** The outbox has something to deliver. */
  outbox: [];
}

/** In-process hints that save a wait for the next sweep. Never a delivery: losing one loses nothing. */
export class Signals extends EventEmitter<Events> {
  constructor() {
    super();
    this.setMaxListeners(0);
  }
}
