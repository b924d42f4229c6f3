/**
 * Runs something for each member, in their order and at most so many at a time.
 * @throws whatever the first run rejects with; others may still be under way then
 */
export async function forEachAtMost<T> (members: readonly T[], atMost: number, run: (member: T) => Promise<void>): Promise<void> {
  // Shared by all workers: each takes the next member.
  const rest = members.values()
  async function work (): Promise<void> {
    for (const member of rest) await run(member)
  }
  await Promise.all(Array.from({ length: Math.min(atMost, members.length) }, work))
}
