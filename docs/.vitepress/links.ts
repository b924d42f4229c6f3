import { cp, mkdir } from 'node:fs/promises'
import { existsSync, statSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import type { MarkdownRenderer } from 'vitepress'

const ROOT = join(import.meta.dirname, '..', '..')

/** Files of the repository that pages link to, other than pages: paths from its root. */
const linkedFiles = new Set<string>()

/** The anchor of a heading, as GitHub makes it, so that a link to it is right at both places. */
export function anchorOf (heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')
}

/** Keeps `{{ }}` in code from being taken for a template of Vue. */
export function keepBraces (md: MarkdownRenderer): void {
  md.core.ruler.push('keep_braces', state => {
    for (const token of state.tokens.flatMap(({ children }) => children ?? [])) {
      if (token.type === 'code_inline') token.attrSet('v-pre', '')
    }
  })
}

/**
 * Links to files that are no pages: a file becomes a download, a folder plain text, since the site has no page for it.
 * @throws {Error} where there is no such file, which VitePress itself does not look for
 */
export function linkRepositoryFiles (md: MarkdownRenderer): void {
  md.core.ruler.push('repository_files', state => {
    for (const { children } of state.tokens) {
      let isFolder = false
      for (const token of children ?? []) {
        if (token.type === 'link_close' && isFolder) {
          token.type = 'text'
          isFolder = false
        }
        if (token.type !== 'link_open') continue
        const [href = ''] = String(token.attrGet('href')).split('#')
        if (href === '' || href.startsWith('/') || /^[\w+.-]+:/.test(href) || href.endsWith('.md')) continue
        const path = posix.join(posix.dirname(state.env.relativePath), decodeURI(href))
        if (!existsSync(join(ROOT, path))) throw new Error(`${state.env.relativePath} links to ${href}, which is not there`)
        if (statSync(join(ROOT, path)).isDirectory()) {
          isFolder = true
          token.type = 'text'
        } else {
          linkedFiles.add(path)
          token.attrSet('download', '')
        }
      }
    }
  })
}

/** Puts the files that pages link to into the site. */
export async function copyLinkedFiles (outDir: string): Promise<void> {
  for (const path of linkedFiles) {
    await mkdir(dirname(join(outDir, path)), { recursive: true })
    await cp(join(ROOT, path), join(outDir, path))
  }
}
