import postcssRtlcss from 'postcss-rtlcss'
import { defineConfig } from 'vitepress'
import { anchorOf, copyLinkedFiles, keepBraces, linkRepositoryFiles } from './links.js'
import { englishSidebar, persianSidebar } from './sidebar.js'

const LANGUAGES = { root: 'English', fa: 'فارسی' }

/** Pages of one large table and no headings: the room for their outline is the table's. */
const WIDE_PAGES = ['docs/failure-modes.md']

/**
 * The site of the documents. Its root is that of the repository, so that each link between documents is right at both places,
 * README.md and SECURITY.md included.
 */
export default defineConfig({
  title: 'messenger',
  description: 'Posts commands to devices: an HTTP API in front of an MQTT broker',
  // No icon: without this each page asks for one that is not there.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: '..',
  srcExclude: ['coverage/**'],
  rewrites: { 'docs/index.md': 'index.md' },
  // A link to a page that is not there ends the build. VitePress has it so by default; said here so that it stays.
  ignoreDeadLinks: false,
  markdown: {
    anchor: { slugify: anchorOf },
    // Braces in the documents are those of topics, not attributes.
    attrs: { disable: true },
    // Languages that the highlighter does not know.
    languageAlias: { acl: 'ini', conf: 'ini', promql: 'ini' },
    config: md => { md.use(keepBraces).use(linkRepositoryFiles) }
  },
  // The theme is written for left to right; where it says so, this says the mirror image too. `:where` leaves each rule its weight.
  vite: { css: { postcss: { plugins: [postcssRtlcss({ ltrPrefix: ':where([dir="ltr"])', rtlPrefix: ':where([dir="rtl"])' })] } } },
  transformPageData: ({ relativePath }) => WIDE_PAGES.includes(relativePath) ? { frontmatter: { aside: false } } : {},
  buildEnd: async ({ outDir }) => { await copyLinkedFiles(outDir) },
  themeConfig: {
    search: {
      provider: 'local',
      options: {
        locales: {
          'docs/fa': {
            translations: {
              button: { buttonText: 'جست‌وجو', buttonAriaLabel: 'جست‌وجو' },
              modal: {
                displayDetails: 'نمایش جزئیات',
                resetButtonTitle: 'پاک کردن جست‌وجو',
                backButtonTitle: 'بستن جست‌وجو',
                noResultsText: 'چیزی پیدا نشد برای',
                footer: { selectText: 'انتخاب', navigateText: 'جابه‌جایی', closeText: 'بستن' }
              }
            }
          }
        }
      }
    }
  },
  locales: {
    root: {
      label: LANGUAGES.root,
      lang: 'en',
      themeConfig: {
        // Only the tutorial has a page in both languages, and links to the other one itself.
        i18nRouting: false,
        nav: [
          { text: 'Tutorial', link: '/docs/en/tutorial' },
          { text: 'README', link: '/README' },
          { text: 'Failure modes', link: '/docs/failure-modes' },
          { text: 'Security', link: '/SECURITY' }
        ],
        sidebar: englishSidebar(),
        outline: { level: [2, 3] }
      }
    },
    'docs/fa': {
      label: LANGUAGES.fa,
      lang: 'fa-IR',
      dir: 'rtl',
      description: 'فرستادن فرمان به دستگاه‌ها: یک API روی HTTP، جلوی یک broker از نوع MQTT',
      themeConfig: {
        i18nRouting: false,
        nav: [{ text: 'آموزش', link: '/docs/fa/tutorial' }],
        sidebar: persianSidebar(),
        outline: { level: [2, 3], label: 'در این صفحه' },
        docFooter: { prev: 'صفحهٔ قبل', next: 'صفحهٔ بعد' },
        langMenuLabel: 'زبان',
        returnToTopLabel: 'بازگشت به بالا',
        sidebarMenuLabel: 'فهرست',
        darkModeSwitchLabel: 'حالت تیره',
        lightModeSwitchTitle: 'حالت روشن',
        darkModeSwitchTitle: 'حالت تیره',
        skipToContentLabel: 'رفتن به متن'
      }
    }
  }
})
