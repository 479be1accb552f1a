// Azurite's table service, in memory, on a port of the system's choice: started
// as its own main.js does, which prints the port that was asked for, here 0.
import configuration from 'azurite/dist/src/table/TableConfiguration.js';
import server from 'azurite/dist/src/table/TableServer.js';

const service = new server.default(new configuration.default(
  '127.0.0.1', 0, undefined, // host, port, keep-alive
  'nowhere.json', false, false, undefined, undefined,
  false, false, '', '', '', undefined, false, // no logs, not loose, versions checked, no certificate, no OAuth, both styles of address
  true, // in memory
));
await service.start();
console.log(JSON.stringify({ address: service.getHttpServerAddress() }));

// The test that started this process ends it by closing its input.
process.stdin.resume().on('end', () => process.exit(0));
