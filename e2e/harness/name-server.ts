import { createSocket } from 'node:dgram';

/**
 * Answers every question for an address with these, as the DNS of a cluster answers for a headless Service. Resolves to its
 * own `127.0.0.1:PORT`; gRPC asks it for `dns://127.0.0.1:PORT/NAME:6000`.
 */
export async function startNameServer(
  addresses: () => readonly string[],
): Promise<{ address: string; stop(): void }> {
  const socket = createSocket('udp4');
  socket.on('message', (question, { port, address }) => {
    socket.send(answerTo(question, addresses()), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { address: `127.0.0.1:${socket.address().port}`, stop: () => socket.close() };
}

const headerLength = 12;
const typeA = 1;

/** RFC 1035, section 4: the question's header and question again, then an A record for each address. */
function answerTo(question: Buffer, addresses: readonly string[]): Buffer {
  let end = headerLength;
  while ((question[end] ?? 0) > 0) end += (question[end] ?? 0) + 1;
  end += 5;
  const asked = question.subarray(0, end);
  const isForAddress = asked.readUInt16BE(end - 4) === typeA;
  const records = isForAddress ? addresses.map(record) : [];
  const header = Buffer.from(asked.subarray(0, headerLength));
  header.writeUInt16BE(0x8580, 2); // A response, authoritative, recursion available.
  header.writeUInt16BE(records.length, 6);
  header.writeUInt32BE(0, 8);
  return Buffer.concat([header, asked.subarray(headerLength), ...records]);
}

/** The name is a pointer to the one in the question; it may be remembered for a second. */
function record(address: string): Buffer {
  return Buffer.from([
    0xc0,
    headerLength,
    0,
    typeA,
    0,
    1,
    0,
    0,
    0,
    1,
    0,
    4,
    ...address.split('.').map(Number),
  ]);
}
