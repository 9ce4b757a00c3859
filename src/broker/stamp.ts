import { stampProperty } from '#model';
import type { PublishProperties, UserProperty } from '#mqtt';
import type { BrokerCore } from './core.ts';

/** What a client may not say itself, because the broker says it. */
const stampNames: ReadonlySet<string> = new Set(Object.values(stampProperty));

/** The properties with this site's stamp (`dup`: it may have come before), and without any stamp that the client put there. */
export function stampedProperties(
  core: BrokerCore,
  site: string,
  from: PublishProperties | null,
  dup = false,
): PublishProperties {
  core.stampCount++;
  const userProperties: UserProperty[] = [];
  if (from !== null) {
    for (const property of from.userProperties)
      if (!stampNames.has(property[0])) userProperties.push(property);
  }
  userProperties.push(
    [stampProperty.site, site],
    [stampProperty.received, String(core.wall)],
    [stampProperty.id, core.stampPrefix + core.stampCount.toString(36)],
  );
  if (dup) userProperties.push([stampProperty.repeat, '1']);
  return {
    payloadFormat: from?.payloadFormat,
    messageExpiry: from?.messageExpiry,
    topicAlias: undefined,
    responseTopic: from?.responseTopic,
    correlationData: from?.correlationData,
    contentType: from?.contentType,
    userProperties,
    subscriptionIdentifiers: [],
  };
}
