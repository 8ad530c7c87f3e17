import type { handleUnaryCall, ServerUnaryCall } from '@grpc/grpc-js';
import { Failure } from '#src/failure.ts';
import type { Answers, Caller, CallOutcomes } from '#src/scaler/answers.ts';
import type { ExternalScalerHandlers } from '#src/scaler/generated/externalscaler/ExternalScaler.ts';
import type { GetMetricsRequest__Output } from '#src/scaler/generated/externalscaler/GetMetricsRequest.ts';
import type { ScaledObjectRef__Output } from '#src/scaler/generated/externalscaler/ScaledObjectRef.ts';
import type { CallObserver } from '#src/scaler/observer.ts';
import type { PeerOfCall } from '#src/scaler/peers.ts';
import { statusName, statusOf } from '#src/scaler/status-codes.ts';
import type { WireValue } from '#src/scaler/wire.ts';
import type { Asker } from '#src/sources/source.ts';

/** What the handlers of calls and streams are made of. */
export interface Face {
  readonly answers: Answers;
  /** Throws `permission-denied`. */
  readonly askerOf: (call: PeerOfCall) => Asker;
  readonly observer: CallObserver;
  readonly outcomes: CallOutcomes;
}

type UnaryHandlers = Pick<ExternalScalerHandlers, 'IsActive' | 'GetMetricSpec' | 'GetMetrics'>;

/** The three calls that are asked and answered once. */
export function unaryCalls(face: Face): UnaryHandlers {
  const { answers } = face;
  return {
    IsActive: unary(face, {
      method: 'IsActive',
      refOf: (ref: ScaledObjectRef__Output) => ref,
      answer(ref, caller) {
        const active = answers.isActive(ref, caller);
        return active instanceof Promise ? active.then(activity) : activity(active);
      },
    }),
    GetMetricSpec: unary(face, {
      method: 'GetMetricSpec',
      refOf: (ref: ScaledObjectRef__Output) => ref,
      answer: (ref, caller) => ({ metricSpecs: [answers.metricSpec(ref, caller)] }),
    }),
    GetMetrics: unary(face, {
      method: 'GetMetrics',
      refOf: (request: GetMetricsRequest__Output) => request.scaledObjectRef,
      answer({ scaledObjectRef, metricName }, caller) {
        if (scaledObjectRef === null) throw withoutRef();
        const value = answers.metrics(scaledObjectRef, metricName, caller);
        return value instanceof Promise ? value.then(values) : values(value);
      },
    }),
  };
}

/** Tells of a call that failed before its trigger was looked at; failures of triggers are told by `Answers`. */
export function refused(face: Face, ref: ScaledObjectRef__Output | null, thrown: unknown): Failure {
  const failure = Failure.from(thrown);
  const { namespace = '', name = '' } = ref ?? {};
  face.outcomes.onFailure({ namespace, name }, '', failure);
  return failure;
}

const active = { result: true };
const inactive = { result: false };
const activity = (isActive: boolean) => (isActive ? active : inactive);
const values = (value: WireValue) => ({ metricValues: [value] });

interface Unary<Q, R> {
  readonly method: string;
  readonly refOf: (request: Q) => ScaledObjectRef__Output | null;
  /** At once where it can be: a warm call costs no promise. */
  readonly answer: (request: Q, caller: Caller) => R | Promise<R>;
}

function unary<Q, R>(face: Face, { method, refOf, answer }: Unary<Q, R>): handleUnaryCall<Q, R> {
  return (call, respond) => {
    const startedAt = performance.now();
    const ended = (code: string) =>
      face.observer.called(method, call.cancelled ? 'CANCELLED' : code, performance.now() - startedAt);
    const succeed = (response: R) => {
      respond(null, response);
      ended('OK');
    };
    const fail = (thrown: unknown) => {
      const known = thrown instanceof Failure ? thrown : refused(face, refOf(call.request), thrown);
      const status = statusOf(known);
      respond(status);
      ended(statusName(status.code));
    };
    let asker: Asker;
    try {
      asker = face.askerOf(call);
    } catch (thrown) {
      fail(refused(face, refOf(call.request), thrown));
      return;
    }
    let answered: R | Promise<R>;
    try {
      answered = answer(call.request, new CallerOfCall(call, asker));
    } catch (thrown) {
      fail(thrown);
      return;
    }
    if (answered instanceof Promise) answered.then(succeed, fail);
    else succeed(answered);
  };
}

/** Makes its signal only for those who wait: a warm call needs none. */
class CallerOfCall implements Caller {
  readonly authenticated: boolean;
  readonly #call: ServerUnaryCall<unknown, unknown>;
  #controller: AbortController | undefined;

  constructor(call: ServerUnaryCall<unknown, unknown>, asker: Asker) {
    this.authenticated = asker.authenticated;
    this.#call = call;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController();
      this.#controller = controller;
      if (this.#call.cancelled) controller.abort();
      else this.#call.once('cancelled', () => controller.abort());
    }
    return this.#controller.signal;
  }
}

function withoutRef(): Failure {
  return new Failure('invalid', 'scaledObjectRef: expected the ScaledObject that is asked about, got none');
}
