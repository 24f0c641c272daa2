import { createRequire } from 'node:module';
import { Resvg } from '@resvg/resvg-js';

/**
 * The fonts that charts are set in come with Remora, as servers often have none. They are found from where this file (or
 * the bundle that holds it) is, like any other dependency.
 */
const require = createRequire(import.meta.url);
const fontFiles = (): string[] =>
  ['DejaVuSans', 'DejaVuSans-Bold', 'DejaVuSansMono'].map((name) =>
    require.resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`),
  );

/**
 * An SVG chart as PNG, `scale` pixels to the px. Fonts of the machine are not used, so the bytes are the same everywhere:
 * characters that DejaVu lacks (East Asian ones) are boxes.
 */
export function renderPng(svg: string, scale = 1): Uint8Array {
  const image = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: scale },
    font: {
      loadSystemFonts: false,
      fontFiles: fontFiles(),
      defaultFontFamily: 'DejaVu Sans',
      sansSerifFamily: 'DejaVu Sans',
      monospaceFamily: 'DejaVu Sans Mono',
    },
  });
  return new Uint8Array(image.render().asPng());
}
