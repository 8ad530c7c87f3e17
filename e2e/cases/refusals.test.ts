import test from 'ava';
import { openCase } from '#e2e/harness/case.ts';
import { scaledObject, trigger, workload } from '#e2e/harness/manifests.ts';

test('a trigger that KEDA cannot even begin with is explained in an Event on its ScaledObject', async (t) => {
  const story = await openCase(t, 'unreadable');
  const scaler = await story.startScaler();
  // Without a threshold there is no spec, and KEDA swallows the text of that failure.
  const metadata = { source: 'falco', metric: 'infections', thresold: '1' };
  await story.apply(
    workload('checkout'),
    scaledObject('checkout', { triggers: [trigger(scaler.grpc, { ...metadata, threshold: 'many' })] }),
  );
  const event = await story.until('the Event', async () =>
    (await story.events('checkout')).find((one) => one.startsWith('TriggerRefused')),
  );
  t.regex(event, /thresold: unknown key; did you mean threshold\?/);
  t.regex(event, /threshold: expected a number from 0\.001 to 9200000000000000, got "many"/);
});

test('metricType Value is refused for an attack, where the user sees it', async (t) => {
  const story = await openCase(t, 'by-value');
  const scaler = await story.startScaler();
  const metadata = { source: 'falco', metric: 'infections', threshold: '1' };
  await story.apply(
    workload('checkout'),
    scaledObject('checkout', { triggers: [trigger(scaler.grpc, metadata, { metricType: 'Value' })] }),
  );
  await story.until('the refusal in an Event', async () =>
    (await story.events('checkout')).some((one) => one.includes('metricType: expected AverageValue')),
  );
  t.is(story.replicas.now('checkout'), 1);
});
