import type { Sender } from '#src/alerts/alert.ts';

/** One sender with one credential. */
export interface Sensor {
  readonly sender: Sender;
  readonly credential: string;
  /** The last alert or sign of life, epoch ms; undefined while none has come since the start. */
  heardAt: number | undefined;
}

/** A sensor as people and metrics see it. */
export interface SensorState {
  readonly sender: Sender;
  readonly credential: string;
  /** Epoch ms. */
  readonly heardAt: number | undefined;
  /** It has said nothing for longer than is allowed; false where nothing was demanded. */
  readonly silent: boolean;
}

export interface SensorsOptions {
  /** Epoch ms: whoever has not been heard since is silent from here on. */
  readonly startedAt: number;
  /** Undefined: silence is never remarked upon. */
  readonly maxSilenceMs?: number | undefined;
}

/** Who has been heard, and when last. A sensor that stops looks just like peace, unless somebody watches it. */
export class Sensors {
  readonly #options: SensorsOptions;
  readonly #sensors = new Map<string, Sensor>();

  constructor(options: SensorsOptions) {
    this.#options = options;
  }

  /** As many as there are senders times credentials; from the first question on it is in the list. */
  of(sender: Sender, credential: string): Sensor {
    const key = `${sender} ${credential}`;
    let sensor = this.#sensors.get(key);
    if (sensor === undefined) {
      sensor = { sender, credential, heardAt: undefined };
      this.#sensors.set(key, sensor);
    }
    return sensor;
  }

  list(now: number): SensorState[] {
    const { startedAt, maxSilenceMs = Number.POSITIVE_INFINITY } = this.#options;
    return [...this.#sensors.values()].map(({ sender, credential, heardAt }) => ({
      sender,
      credential,
      heardAt,
      silent: now - (heardAt ?? startedAt) > maxSilenceMs,
    }));
  }
}
