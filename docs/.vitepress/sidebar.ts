import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DefaultTheme } from 'vitepress'

const ROOT = join(import.meta.dirname, '..', '..')

/** Every page, by what it is for. A page that is put into one of these folders is there by itself. */
export function englishSidebar (): DefaultTheme.SidebarItem[] {
  return [
    { text: 'Start', items: [entry('README.md', 'README'), entry('docs/en/tutorial.md', 'Tutorial'), entry('docs/fa/tutorial.md', 'آموزش فارسی')] },
    { text: 'Guides', items: [...entriesOf('docs'), entry('SECURITY.md')] },
    { text: 'Decisions', collapsed: true, items: entriesOf('docs/decisions') },
    {
      text: 'Inside',
      collapsed: true,
      items: [
        entry('src/README.md'), entry('test/README.md'), entry('test/faults/README.md'), entry('test/fuzz/README.md'),
        entry('bench/README.md'), entry('CONTRIBUTING.md'), entry('CHANGELOG.md')
      ]
    }
  ]
}

/** The pages in Persian, and where to go on in English. */
export function persianSidebar (): DefaultTheme.SidebarItem[] {
  return [
    { text: 'شروع', items: [entry('docs/fa/index.md', 'خانه'), entry('docs/fa/tutorial.md', 'آموزش')] },
    { text: 'راهنماهای انگلیسی', items: [entry('README.md', 'README'), ...entriesOf('docs'), entry('SECURITY.md')] }
  ]
}

/** The pages of a folder, without those of the folders in it. */
function entriesOf (folder: string): DefaultTheme.SidebarItem[] {
  return readdirSync(join(ROOT, folder)).filter(name => name.endsWith('.md') && name !== 'index.md').sort().map(name => entry(`${folder}/${name}`))
}

/** One page, under the name of its first heading unless told otherwise. */
function entry (path: string, text = headingOf(path)): DefaultTheme.SidebarItem {
  return { text, link: `/${path.replace(/(index)?\.md$/, '')}` }
}

function headingOf (path: string): string {
  const [, heading = path] = /^# (.*)$/m.exec(readFileSync(join(ROOT, path), 'utf8')) ?? []
  return heading.replaceAll('`', '')
}
