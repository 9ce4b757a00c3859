import path from 'node:path';
import type { DemoPlan, DemoSite } from './plan.ts';

// The configuration files of the demo, as a person would write them. Paths are relative to each file's folder.

const gasAlarm = `# A legacy detector says 0 or 1: gas is 1.
[[alarm]]
name = "gas"
metric = "gas"
set_point = 1
deadband = 0.5
on_delay = "0s"
off_delay = "0s"
priority = 1
`;

/** What every role says of its journal. */
const persistence = `# What is acknowledged is on the disk here: a crash or a power cut loses none of it.
[persistence]
folder = "journal"
`;

/** What a bridge carries in one direction, at QoS 1. */
function bridgeTopics(direction: 'in' | 'out', filters: readonly string[]): string {
  return filters
    .map((filter) => `[[bridge.topic]]\nfilter = "${filter}"\ndirection = "${direction}"\nqos = 1\n`)
    .join('\n');
}

export function cloudToml(plan: DemoPlan): string {
  const devices = plan.sites.flatMap((site) => [
    ...site.detectors.map(
      (detector) => `  "${detector.mac}",  # ${site.name}/${detector.name}, ${detector.room}`,
    ),
    `  "${site.name}.host",`,
  ]);
  return `# The cloud of tenant "${plan.tenant}": broker, database, alarms, API and screen.
# Copy this folder to the host that shall be the cloud, and give the listener an address that the relay reaches.
role = "cloud"
name = "cloud"
tenant = "${plan.tenant}"
log_level = "info"

[broker]
maximum_inflight = 4000

${persistence}
# Relays and people: TLS with a client certificate, and a password.
[[listener]]
name = "outside"
protocol = "tls"
address = "127.0.0.1"
port = ${plan.ports.cloud}
ca_file = "ca.pem"
certificate_file = "cloud.pem"
key_file = "cloud.key"
require_certificate = true
password_file = "passwords"
require_password = true
access_file = "access"

# The platform below signs in here; only this user of the machine can open the socket.
[[listener]]
name = "platform"
protocol = "unix"
path = "${relativeTo(plan, 'cloud', plan.brokerSocket)}"
allow_anonymous = true

[platform]
store_file = "store.db"
broker_socket = "${relativeTo(plan, 'cloud', plan.brokerSocket)}"
api_address = "127.0.0.1"
api_port = ${plan.ports.screen}
demo_control = "${relativeTo(plan, 'cloud', plan.controlSocket)}"
# Devices that are not listed here appear as "new, not approved".
approved_devices = [
${devices.join('\n')}
]

# Legacy topics name a site by its address.
[platform.site_addresses]
${plan.sites.map((site) => `"${site.address}" = "${site.name}"`).join('\n')}

# Names for people.
[platform.device_names]
${plan.sites.flatMap((site) => site.detectors.map((detector) => `"${detector.mac}" = "${detector.name} ${detector.room}"`)).join('\n')}

${gasAlarm}`;
}

export function relayToml(plan: DemoPlan): string {
  return `# The relay: ends the TLS of the sites (client certificates required) and hands each tenant's topics to its cloud.
role = "relay"
name = "relay"
tenant = "${plan.tenant}"
log_level = "info"

${persistence}
[[listener]]
name = "sites"
protocol = "tls"
address = "127.0.0.1"
port = ${plan.ports.relay}
ca_file = "ca.pem"
certificate_file = "relay.pem"
key_file = "relay.key"
require_certificate = true
identity_from_certificate = true
access_file = "access"

# One bridge for each tenant, with its own credentials and CA.
[[bridge]]
name = "cloud-${plan.tenant}"
host = "127.0.0.1"
port = ${plan.ports.cloud}
client_id = "relay"
retry_maximum = "5s"
ca_file = "ca.pem"
certificate_file = "relay.pem"
key_file = "relay.key"
username = "relay"
password_file = "cloud.password"

${bridgeTopics('out', ['outTopic/#', `davy/v1/${plan.tenant}/+/+/reading`, `davy/v1/${plan.tenant}/+/+/state`, `davy/v1/${plan.tenant}/+/+/command/+/result`])}
${bridgeTopics('in', [`davy/v1/${plan.tenant}/+/+/command/+`])}`;
}

export function siteToml(plan: DemoPlan, site: DemoSite, port: number): string {
  const own = `davy/v1/${plan.tenant}/${site.name}`;
  return `# Site "${site.name}": takes detectors on the local network and hides them from the internet.
role = "site"
name = "${site.name}"
tenant = "${plan.tenant}"
log_level = "info"

${persistence}
# Detectors cannot do TLS: plain TCP on the local network, with user name and password.
[[listener]]
name = "detectors"
protocol = "tcp"
address = "127.0.0.1"
port = ${port}
password_file = "passwords"
require_password = true
access_file = "access"
# Time, site and an id are put on each message here; they travel with it, however long it waits.
stamp = true
# Detectors send at QoS 0. From here on their messages are kept until the next broker has them.
minimum_qos = 1
# All detectors of the legacy firmware carry this client id; their address tells them apart.
shared_client_ids = ["ESP8266Client"]

[[bridge]]
name = "relay"
host = "127.0.0.1"
port = ${plan.ports.relay}
client_id = "${site.name}"
retry_maximum = "5s"
ca_file = "ca.pem"
certificate_file = "${site.name}.pem"
key_file = "${site.name}.key"

${bridgeTopics('out', ['outTopic/#', `${own}/+/reading`, `${own}/+/state`, `${own}/+/command/+/result`])}
${bridgeTopics('in', [`${own}/+/command/+`])}
# Commands from outside are let in because this is turned on; every one is checked and logged here first.
[commands]
accept = true
allow = ["Request", "Sleep"]
`;
}

/** What a site may do at the relay, and the relay and people at the cloud. `#` begins a comment in these files. */
export function relayAccess(plan: DemoPlan): string {
  return plan.sites
    .map((site) => {
      const own = `davy/v1/${plan.tenant}/${site.name}`;
      return `# Site "${site.name}" (the name of its certificate)
user ${site.name}
topic write outTopic/#
topic write ${own}/+/reading
topic write ${own}/+/state
topic write ${own}/+/command/+/result
topic read ${own}/+/command/+
`;
    })
    .join('\n');
}

export function cloudAccess(plan: DemoPlan): string {
  const all = `davy/v1/${plan.tenant}`;
  return `user relay
topic write outTopic/#
topic write ${all}/+/+/reading
topic write ${all}/+/+/state
topic write ${all}/+/+/command/+/result
topic read ${all}/+/+/command/+

# People and scripts that look on.
user visitor
topic read outTopic/#
topic read ${all}/#
topic read $SYS/#
`;
}

export function siteAccess(plan: DemoPlan, site: DemoSite): string {
  return `user detector
topic write outTopic/#
topic read InTopic/#

user host
topic write davy/v1/${plan.tenant}/${site.name}/host/reading
topic write davy/v1/${plan.tenant}/${site.name}/host/state
`;
}

/** What `davylamp detectors` runs at a site (JSON). */
export function detectorsJson(site: DemoSite, port: number): string {
  return `${JSON.stringify(
    {
      site: site.name,
      siteAddress: site.address,
      broker: { host: '127.0.0.1', port },
      username: 'detector',
      passwordFile: 'detector.password',
      seed: Number(site.address.split('.').at(-1)),
      detectors: site.detectors,
    },
    null,
    2,
  )}\n`;
}

/** What `davylamp agent` runs at a site (JSON). */
export function agentJson(plan: DemoPlan, site: DemoSite, port: number): string {
  return `${JSON.stringify(
    {
      tenant: plan.tenant,
      site: site.name,
      device: 'host',
      broker: { host: '127.0.0.1', port },
      username: 'host',
      passwordFile: 'host.password',
      intervalSeconds: 5,
    },
    null,
    2,
  )}\n`;
}

function relativeTo(plan: DemoPlan, folder: string, file: string): string {
  const base = path.join(plan.folder, folder);
  return file.startsWith(plan.folder) ? path.relative(base, file) : file;
}
