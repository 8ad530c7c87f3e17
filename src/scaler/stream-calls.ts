import { Metadata, type ServerWritableStream } from '@grpc/grpc-js';
import type { Clock } from '#src/clock.ts';
import { Failure } from '#src/failure.ts';
import { streamActivity } from '#src/scaler/activity-stream.ts';
import type { ExternalScalerHandlers } from '#src/scaler/generated/externalscaler/ExternalScaler.ts';
import type { ScaledObjectRef__Output } from '#src/scaler/generated/externalscaler/ScaledObjectRef.ts';
import type { OpenStreams } from '#src/scaler/open-streams.ts';
import { streamSpec } from '#src/scaler/spec-stream.ts';
import { statusName, statusOf } from '#src/scaler/status-codes.ts';
import { type Face, refused } from '#src/scaler/unary-calls.ts';

export interface StreamFace extends Face {
  readonly streams: OpenStreams;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
}

type Call<R> = ServerWritableStream<ScaledObjectRef__Output, R>;
type StreamHandlers = Pick<ExternalScalerHandlers, 'StreamIsActive' | 'StreamMetricSpec'>;

/** The two calls that stay open. What is wrong with a trigger ends them at their start. */
export function streamCalls(face: StreamFace): StreamHandlers {
  const { answers, clock, random, observer } = face;
  return {
    StreamIsActive: (call) =>
      open(face, 'StreamIsActive', call, () => {
        const asker = answers.vouch(call.request, face.askerOf(call));
        const followed = answers.followed(call.request);
        const signal = adopt(face, call, 'StreamIsActive');
        if (signal.aborted) return;
        const write = (result: true, written: () => void) => {
          call.write({ result }, written);
          observer.pushed('StreamIsActive');
        };
        streamActivity({ followed, asker, clock, random, write }, signal);
      }),
    StreamMetricSpec: (call) =>
      open(face, 'StreamMetricSpec', call, () => {
        face.askerOf(call);
        const asked = answers.asked(call.request);
        // Throws for a trigger that has no spec.
        answers.specOf(asked);
        const signal = adopt(face, call, 'StreamMetricSpec');
        if (signal.aborted) return;
        const write = (spec: ReturnType<typeof answers.specOf>, written: () => void) => {
          call.write({ metricSpecs: [spec] }, written);
          observer.pushed('StreamMetricSpec');
        };
        streamSpec({ asked, clock, spec: () => answers.specOf(asked), write }, signal);
      }),
  };
}

/** The headers go out at once, so that a quiet stream is known to stand, also to a proxy on the way. */
function adopt<R>({ streams }: StreamFace, call: Call<R>, method: string): AbortSignal {
  call.sendMetadata(new Metadata());
  return streams.adopt(call, method);
}

/** Failures of triggers were told by `Answers`; a peer's refusal and a defect are told here. */
function open<R>(face: Face, method: string, call: Call<R>, run: () => void): void {
  const startedAt = performance.now();
  try {
    run();
  } catch (thrown) {
    const failure = Failure.from(thrown);
    if (!(thrown instanceof Failure) || failure.code === 'permission-denied')
      refused(face, call.request, failure);
    const status = statusOf(failure);
    call.emit('error', status);
    face.observer.called(method, statusName(status.code), performance.now() - startedAt);
  }
}
