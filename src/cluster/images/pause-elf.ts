// The program of the sandbox container, assembled here so that a machine without a compiler or the internet can
// run pods: it holds the pod's namespaces, reaps orphans as PID 1, and ends at once on SIGTERM or SIGINT.
//
//   sigprocmask(SIG_BLOCK, mask)            blocked signals reach even PID 1 of a namespace, and need no handler
//   next: switch sigtimedwait(mask)
//           SIGCHLD            → reap: while wait4(-1, NULL, WNOHANG, NULL) > 0; goto next
//           error (EINTR)      → next
//           SIGTERM, SIGINT    → exit_group(0)
//   mask: SIGINT | SIGTERM | SIGCHLD

export type Architecture = "amd64" | "arm64";

/** As the image specification names what Node calls `process.arch`. */
export function imageArchitecture(nodeArch: string): Architecture {
  if (nodeArch === "x64") return "amd64";
  if (nodeArch === "arm64") return "arm64";
  throw new Error(`no pause program for ${nodeArch}: x64 and arm64 are known`);
}

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s+/g, ""), "hex");
const words = (...values: readonly number[]): Buffer => {
  const buffer = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => buffer.writeUInt32LE(value >>> 0, index * 4));
  return buffer;
};

const amd64 = [
  hex("b80e000000"), //       mov eax, 14         rt_sigprocmask
  hex("31ff"), //             xor edi, edi        SIG_BLOCK
  hex("488d3550000000"), //   lea rsi, [rip+0x50] mask
  hex("31d2"), //             xor edx, edx        no old mask
  hex("41ba08000000"), //     mov r10d, 8         size of a mask
  hex("0f05"), //             syscall
  hex("b880000000"), // next: mov eax, 128        rt_sigtimedwait
  hex("488d3d3a000000"), //   lea rdi, [rip+0x3a] mask
  hex("31f6"), //             xor esi, esi        no details
  hex("31d2"), //             xor edx, edx        no timeout
  hex("41ba08000000"), //     mov r10d, 8
  hex("0f05"), //             syscall
  hex("83f811"), //           cmp eax, 17         SIGCHLD
  hex("740d"), //             je reap
  hex("85c0"), //             test eax, eax
  hex("78df"), //             js next
  hex("b8e7000000"), //       mov eax, 231        exit_group
  hex("31ff"), //             xor edi, edi
  hex("0f05"), //             syscall
  hex("b83d000000"), // reap: mov eax, 61         wait4
  hex("bfffffffff"), //       mov edi, -1         any child
  hex("31f6"), //             xor esi, esi
  hex("ba01000000"), //       mov edx, 1          WNOHANG
  hex("4531d2"), //           xor r10d, r10d
  hex("0f05"), //             syscall
  hex("85c0"), //             test eax, eax
  hex("7fe6"), //             jg reap
  hex("ebba"), //             jmp next
  hex("0240010000000000"), // mask
];

const arm64 = [
  words(0xd28010e8), //       mov x8, #135        rt_sigprocmask
  words(0xd2800000), //       mov x0, #0          SIG_BLOCK
  words(0x10000341), //       adr x1, mask
  words(0xd2800002), //       mov x2, #0
  words(0xd2800103), //       mov x3, #8
  words(0xd4000001), //       svc #0
  words(0xd2801128), // next: mov x8, #137        rt_sigtimedwait
  words(0x100002a0), //       adr x0, mask
  words(0xd2800001), //       mov x1, #0
  words(0xd2800002), //       mov x2, #0
  words(0xd2800103), //       mov x3, #8
  words(0xd4000001), //       svc #0
  words(0x7100441f), //       cmp w0, #17         SIGCHLD
  words(0x540000a0), //       b.eq reap
  words(0x37ffff00), //       tbnz w0, #31, next
  words(0xd2800bc8), //       mov x8, #94         exit_group
  words(0xd2800000), //       mov x0, #0
  words(0xd4000001), //       svc #0
  words(0xd2802088), // reap: mov x8, #260        wait4
  words(0x92800000), //       mov x0, #-1
  words(0xd2800001), //       mov x1, #0
  words(0xd2800022), //       mov x2, #1          WNOHANG
  words(0xd2800003), //       mov x3, #0
  words(0xd4000001), //       svc #0
  words(0x7100001f), //       cmp w0, #0
  words(0x54ffff2c), //       b.gt reap
  words(0x17ffffec), //       b next
  words(0xd503201f), //       nop                 aligns the mask
  words(0x00014002, 0), //    mask
];

const machineNumbers: Record<Architecture, number> = { amd64: 62, arm64: 183 };
const base = 0x400000;
const headerSize = 64;
const programHeaderSize = 56;

/** A static ELF executable: file header, one readable and executable segment, the code. */
export function pauseProgram(architecture: Architecture): Buffer {
  const code = Buffer.concat(architecture === "amd64" ? amd64 : arm64);
  const size = headerSize + programHeaderSize + code.length;
  const header = Buffer.alloc(headerSize);
  hex("7f454c46 02 01 01").copy(header); // magic, 64 bits, little endian, version 1
  header.writeUInt16LE(2, 16); // ET_EXEC
  header.writeUInt16LE(machineNumbers[architecture], 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(base + headerSize + programHeaderSize), 24); // entry
  header.writeBigUInt64LE(BigInt(headerSize), 32); // program headers
  header.writeUInt16LE(headerSize, 52);
  header.writeUInt16LE(programHeaderSize, 54);
  header.writeUInt16LE(1, 56);
  const segment = Buffer.alloc(programHeaderSize);
  segment.writeUInt32LE(1, 0); // PT_LOAD
  segment.writeUInt32LE(5, 4); // read, execute
  segment.writeBigUInt64LE(BigInt(base), 16);
  segment.writeBigUInt64LE(BigInt(base), 24);
  segment.writeBigUInt64LE(BigInt(size), 32);
  segment.writeBigUInt64LE(BigInt(size), 40);
  segment.writeBigUInt64LE(0x10000n, 48); // alignment: the largest page of either architecture
  return Buffer.concat([header, segment, code]);
}
