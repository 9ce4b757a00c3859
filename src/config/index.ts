/** Level 1: the one typed configuration and its readers, of TOML and of mosquitto.conf. Pure text in, `Config` out. */
export type {
  BridgeConfig,
  BridgeTopicConfig,
  CommandGateConfig,
  Config,
  ConfigWarning,
  LimitsConfig,
  ListenerConfig,
  MetricsConfig,
  MosquittoLogConfig,
  MosquittoLogDestination,
  MosquittoLogType,
  PersistenceConfig,
  PlatformConfig,
  PreSharedKey,
  Role,
  TlsFilesConfig,
  TlsVersion,
  WebSocketConfig,
} from './config.ts';
export { mosquittoLogTypes } from './config.ts';
export { isLoopback } from './findings.ts';
export { readToml, type TomlOptions } from './toml.ts';
export { readMosquittoConf, type MosquittoConfOptions } from './mosquitto/mosquitto-conf.ts';
export type { ConfSource } from './mosquitto/conf-file.ts';
export { configReference } from './reference.ts';
export { mosquittoConfReference } from './mosquitto/conf-reference.ts';
