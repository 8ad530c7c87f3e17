// Original file: proto/externalscaler.proto


export interface ScaledObjectRef {
  'name'?: (string);
  'namespace'?: (string);
  /**
   * The trigger's metadata, KEDA's own keys (scalerAddress, enableTLS, unsafeSsl) included.
   */
  'scalerMetadata'?: ({[key: string]: string});
}

export interface ScaledObjectRef__Output {
  'name': (string);
  'namespace': (string);
  /**
   * The trigger's metadata, KEDA's own keys (scalerAddress, enableTLS, unsafeSsl) included.
   */
  'scalerMetadata': ({[key: string]: string});
}
