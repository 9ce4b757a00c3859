/**
 * Level 4: virtual devices: rooms with gas, MQ sensors, the legacy detector to the letter, host agents, and a load of
 * detectors. They reach a broker through `#client` over a dialer that is given to them.
 */
export { gases, gasFacts, percentLel, ppmOfPercentLel, type Gas } from './gas.ts';
export {
  leakRates,
  maximumLeakLitresPerHour,
  mountings,
  properMounting,
  Room,
  stratificationFactor,
  type Mounting,
  type RoomOptions,
} from './room.ts';
export {
  climateFactor,
  mqFacts,
  mqModels,
  mqRatio,
  type MqCurve,
  type MqFacts,
  type MqModel,
} from './mq-curves.ts';
export { MqSensor, startConditions, type MqSensorOptions, type StartCondition } from './mq-sensor.ts';
export { Random } from './random.ts';
export {
  legacyHelloText,
  legacyInTopic,
  legacyOutTopic,
  legacyReadingText,
  parseLegacyCommand,
  reversedMac,
  type LegacyCommand,
  type LegacyReading,
} from './legacy-texts.ts';
export {
  LegacyDetector,
  legacyClientId,
  type LegacyDetectorOptions,
  type LegacyDetectorStatistics,
} from './legacy-detector.ts';
export {
  demoRoom,
  demoTimeScale,
  VirtualSite,
  type DialTarget,
  type VirtualDetectorOptions,
  type VirtualRoomView,
  type VirtualSiteOptions,
} from './virtual-site.ts';
export { HostMetrics, type HostMetricsSource, type HostValue } from './host-metrics.ts';
export { HostAgent, type HostAgentOptions, type HostAgentStatistics } from './host-agent.ts';
export { LoadDetectors, type LoadCounts, type LoadDetectorsOptions } from './load-detectors.ts';
