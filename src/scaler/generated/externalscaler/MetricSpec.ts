// Original file: proto/externalscaler.proto

import type { Long } from '@grpc/proto-loader';

export interface MetricSpec {
  'metricName'?: (string);
  /**
   * Read by KEDA where targetSizeFloat is not above 0.
   */
  'targetSize'?: (number | string | Long);
  'targetSizeFloat'?: (number | string);
}

export interface MetricSpec__Output {
  'metricName': (string);
  /**
   * Read by KEDA where targetSizeFloat is not above 0.
   */
  'targetSize': (number);
  'targetSizeFloat': (number);
}
