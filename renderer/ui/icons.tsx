import type { ReactNode } from 'react';

/** Line icons of 16 px; they take the colour of the text and say nothing to a screen reader: the button does. */
function Icon({ children }: { children: ReactNode }) {
  return (
    <svg
      width="16"
      height="16"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const OpenIcon = () => (
  <Icon>
    <path d="M1.8 12.5V3.7h4l1.4 1.6h5.3v1.9" />
    <path d="M1.8 12.7 3.9 7.2h10.6l-2.1 5.5z" />
  </Icon>
);
export const ExportIcon = () => (
  <Icon>
    <path d="M8 9.8V2M5.2 4.6 8 1.8l2.8 2.8M2.5 9.5v4h11v-4" />
  </Icon>
);
export const NoteIcon = () => (
  <Icon>
    <path d="M2.3 2.8h11.4v7.6H8.2l-3.4 3v-3H2.3z" />
    <path d="M5 5.6h6M5 7.8h4" />
  </Icon>
);
export const ZoomInIcon = () => (
  <Icon>
    <circle cx="7" cy="7" r="4.7" />
    <path d="m10.6 10.6 3.6 3.6M7 4.9v4.2M4.9 7h4.2" />
  </Icon>
);
export const ZoomOutIcon = () => (
  <Icon>
    <circle cx="7" cy="7" r="4.7" />
    <path d="m10.6 10.6 3.6 3.6M4.9 7h4.2" />
  </Icon>
);
export const FitIcon = () => (
  <Icon>
    <path d="M2 3v10M14 3v10M4.2 8h7.6M6.2 5.8 4 8l2.2 2.2M9.8 5.8 12 8l-2.2 2.2" />
  </Icon>
);
export const BackIcon = () => (
  <Icon>
    <path d="M6.5 3.5 2.5 7.5l4 4M2.8 7.5h7.4a3.3 3.3 0 0 1 0 6.6H8" />
  </Icon>
);
export const HelpIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="6.2" />
    <path d="M6.2 6.3a1.8 1.8 0 1 1 2.6 1.6c-.6.3-.8.6-.8 1.3M8 11.4v.1" />
  </Icon>
);
export const SystemThemeIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="5.7" />
    <path d="M8 2.3v11.4a5.7 5.7 0 0 0 0-11.4z" fill="currentColor" />
  </Icon>
);
export const LightThemeIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="2.9" />
    <path d="M8 1.4v1.4M8 13.2v1.4M1.4 8h1.4M13.2 8h1.4M3.3 3.3l1 1M11.7 11.7l1 1M12.7 3.3l-1 1M4.3 11.7l-1 1" />
  </Icon>
);
export const DarkThemeIcon = () => (
  <Icon>
    <path d="M13.4 9.9A5.9 5.9 0 0 1 6.1 2.6a5.9 5.9 0 1 0 7.3 7.3z" />
  </Icon>
);
export const CloseIcon = () => (
  <Icon>
    <path d="m4 4 8 8M12 4l-8 8" />
  </Icon>
);
export const CopyIcon = () => (
  <Icon>
    <path d="M5.6 5.6h7.9v7.9H5.6z" />
    <path d="M10.4 3.3V2.5H2.5v7.9h.8" />
  </Icon>
);
export const PlotIcon = () => (
  <Icon>
    <path d="M2.2 2v11.8H14M4.4 10.6l2.7-3.8 2.3 2 3.6-5" />
  </Icon>
);
export const MoreIcon = () => (
  <Icon>
    <path d="m4.5 6.5 3.5 3.5 3.5-3.5" />
  </Icon>
);
export const EditIcon = () => (
  <Icon>
    <path d="m10.5 2.8 2.7 2.7-7.6 7.6-3.3.6.6-3.3z" />
  </Icon>
);
export const DeleteIcon = () => (
  <Icon>
    <path d="M2.8 4.3h10.4M6.2 4.1V2.5h3.6v1.6M4 4.3l.6 9.2h6.8l.6-9.2M6.7 6.8v4.4M9.3 6.8v4.4" />
  </Icon>
);
export const WarningIcon = () => (
  <Icon>
    <path d="M8 2.2 14.6 13.6H1.4zM8 6.4v3.4M8 11.7v.1" />
  </Icon>
);
export const FolderIcon = () => (
  <Icon>
    <path d="M1.8 12.7V3.5h4.3l1.4 1.7h6.7v7.5z" />
  </Icon>
);
export const FileIcon = () => (
  <Icon>
    <path d="M3.5 1.8h6l3 3v9.4h-9zM9.3 2v3h3" />
  </Icon>
);
export const RecordingIcon = () => (
  <Icon>
    <path d="M1.5 8h2.6l1.6-4.8 2.9 9.6 2-4.8h3.9" />
  </Icon>
);
export const AttachIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="5.8" />
    <circle cx="8" cy="8" r="2.4" fill="currentColor" stroke="none" />
  </Icon>
);
export const StopIcon = () => (
  <Icon>
    <rect x="4" y="4" width="8" height="8" rx="1" fill="currentColor" />
  </Icon>
);
export const PauseIcon = () => (
  <Icon>
    <path d="M5.5 3.5v9M10.5 3.5v9" />
  </Icon>
);
export const ResumeIcon = () => (
  <Icon>
    <path d="M5 3.2v9.6L12.6 8z" />
  </Icon>
);
export const FollowIcon = () => (
  <Icon>
    <path d="M2 8h8.6M7.4 4.6 10.8 8l-3.4 3.4M13.6 3v10" />
  </Icon>
);
