// Original file: proto/externalscaler.proto

import type { Long } from '@grpc/proto-loader';

export interface MetricValue {
  'metricName'?: (string);
  /**
   * The value rounded up; all that KEDA before 2.17 reads.
   */
  'metricValue'?: (number | string | Long);
  'metricValueFloat'?: (number | string);
}

export interface MetricValue__Output {
  'metricName': (string);
  /**
   * The value rounded up; all that KEDA before 2.17 reads.
   */
  'metricValue': (number);
  'metricValueFloat': (number);
}
