import DefaultTheme from 'vitepress/theme'
import '@fontsource-variable/vazirmatn'
import './style.css'

export default DefaultTheme
