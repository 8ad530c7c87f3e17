import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Sender } from '#src/alerts/alert.ts';
import type { Clock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import { isPlainText } from '#src/ingest/content-type.ts';
import type { Counts, Intake, Taken } from '#src/ingest/intake.ts';
import { jsonValues } from '#src/ingest/json-values.ts';
import type { MinuteLog } from '#src/ingest/minute-log.ts';
import type { IngestObserver, Outcome } from '#src/ingest/observer.ts';
import { type Parser, Reading } from '#src/ingest/reading.ts';
import { parseAlertmanager } from '#src/ingest/senders/alertmanager.ts';
import { parseFalco } from '#src/ingest/senders/falco.ts';
import { parseFluentBit } from '#src/ingest/senders/fluentbit.ts';
import { parseSysdig } from '#src/ingest/senders/sysdig.ts';
import type { Visit } from '#src/ingest/visits.ts';

/** One line for each sender: its parser. */
const parsers: Readonly<Record<Sender, Parser>> = {
  falco: parseFalco,
  sysdig: parseSysdig,
  alertmanager: parseAlertmanager,
  fluentbit: parseFluentBit,
};

/** Seconds after which a sender shall try again, when the disk refuses. */
const retryAfter = '5';
/** Senders give up after 5 to 30 s and send again; their connections are not held for a disk that hangs. */
const patienceMs = 10_000;

export interface DeliveryParts {
  readonly intake: Intake;
  readonly observer: IngestObserver;
  readonly clock: Clock;
  readonly warnings: MinuteLog;
}

/** Takes a body in and answers: Falco's at once from memory, everybody else's when it is durable. */
export class Delivery {
  readonly #parts: DeliveryParts;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  take(body: string, exchange: Exchange): void {
    const { visit, request } = exchange;
    const reading = new Reading();
    const parse = parsers[visit.sender];
    for (const value of jsonValues(body, reading)) parse(value, reading);
    if (reading.alerts.length > 0 || reading.signsOfLife > 0) visit.sensor.heardAt = this.#parts.clock.now();
    if (visit.sender === 'falco') {
      const taken = this.#parts.intake.takeFromMemory(reading, visit);
      const problem = this.#problem(reading, taken, request);
      if (problem === undefined) this.#noContent(exchange);
      else this.#text(exchange, problem);
      this.#warn(reading, taken, visit);
      return;
    }
    const taken = this.#parts.intake.take(reading, visit);
    this.#warn(reading, taken, visit);
    const hangs = new Failure('unavailable', 'this could not be made durable in time: send it again');
    const inTime = new Promise<void>((resolve, reject) => {
      const stopWaiting = this.#parts.clock.after(patienceMs, () => reject(hangs));
      taken.durable.then(resolve, reject).finally(stopWaiting);
    });
    inTime.then(
      () => {
        const problem = this.#problem(reading, taken, request);
        if (problem !== undefined) this.#text(exchange, problem);
        else this.#json(exchange, { ...summaryOf(taken.counts), problems: reading.problems });
      },
      (thrown: unknown) => {
        exchange.response.setHeader('Retry-After', retryAfter);
        this.#text(exchange, { status: 503, message: Failure.from(thrown).message });
      },
    );
  }

  /** What is told when nothing of a body was good. */
  #problem({ problems }: Reading, { counts }: Taken, request: IncomingMessage): Problem | undefined {
    const others = Object.keys(counts).filter(
      (outcome) => outcome !== 'malformed' && outcome !== 'forbidden',
    );
    if (others.length > 0) return undefined;
    if (counts.forbidden !== undefined) {
      return {
        status: 403,
        message: "this credential may not raise alerts about these namespaces; see its 'namespaces'",
      };
    }
    // An empty array is a delivery of nothing.
    if (counts.malformed === undefined) return undefined;
    const hint = isPlainText(request.headers) ? '; if this is Falco, set json_output: true' : '';
    return { status: 400, message: problems.join('\n') + hint };
  }

  #warn({ problems, cut }: Reading, { counts, undated }: Taken, { sender, credential }: Visit): void {
    const { warnings } = this.#parts;
    const of = () => ({ sender, credential: credential.name });
    if (counts.malformed !== undefined) {
      warnings.warn(`malformed ${sender}`, 'alerts cannot be read', () => ({ ...of(), problems }));
    }
    if (counts.forbidden !== undefined) {
      warnings.warn(
        `forbidden ${sender}`,
        'alerts about namespaces that their credential may not speak for',
        of,
      );
    }
    if (undated > 0) {
      warnings.warn(
        `undated ${sender}`,
        'alerts without a time that can be read: counted as of their arrival',
        of,
      );
    }
    if (cut > 0) warnings.warn(`cut ${sender}`, 'alerts with longer texts than are kept', of);
  }

  #noContent({ visit, response }: Exchange): void {
    response.writeHead(204).end();
    this.#parts.observer.answered(visit.sender, 204);
  }

  #text(exchange: Exchange, { status, message }: Problem): void {
    this.#answer(exchange, { status, type: 'text/plain; charset=utf-8', body: `${message}\n` });
  }

  #json(exchange: Exchange, body: object): void {
    this.#answer(exchange, { status: 200, type: 'application/json', body: `${JSON.stringify(body)}\n` });
  }

  #answer(
    { visit, response }: Exchange,
    { status, type, body }: { status: number; type: string; body: string },
  ): void {
    response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body);
    this.#parts.observer.answered(visit.sender, status);
  }
}

/** A request from a sender that was let in, and where its answer goes. */
export interface Exchange {
  readonly visit: Visit;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface Problem {
  readonly status: number;
  readonly message: string;
}

function summaryOf(counts: Counts): Partial<Record<Outcome, number>> {
  return { accepted: 0, ...counts };
}
