// TLS with client certificates: the certificate's common name is who the client is. One Unix socket beside it.
import path from 'node:path';
import process from 'node:process';
import { Broker } from 'davylamp/broker';

const folder = process.env['TLS_FOLDER'] ?? 'certificates';
const broker = await Broker.start({
  listeners: [
    {
      name: 'outside',
      port: Number(process.env['PORT'] ?? 8883),
      tls: {
        caFile: path.join(folder, 'ca.pem'),
        certificateFile: path.join(folder, 'server.pem'),
        keyFile: path.join(folder, 'server.key'),
      },
      requireCertificate: true,
      identityFromCertificate: true,
    },
    { name: 'local', path: path.join(folder, 'broker.sock'), allowAnonymous: true },
  ],
  hooks: {
    connected: ({ name, listener }) => console.log(`${name ?? 'somebody'} came in by ${listener}`),
  },
});
for (const { name, url } of broker.listening) console.log(`${name}: ${url}`);
