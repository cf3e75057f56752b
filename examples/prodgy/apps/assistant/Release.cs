using System.Text.Json;

namespace Prodgy.Assistant;

/// <summary>Which build this is.</summary>
internal static class Release
{
    /// <summary>PRODGY_REVISION, else the commit in the release.json beside the program, else "unknown".</summary>
    public static string Revision(IConfiguration configuration, string folder)
    {
        var configured = configuration["PRODGY_REVISION"];
        if (!string.IsNullOrEmpty(configured))
        {
            return configured;
        }

        var file = Path.Combine(folder, "release.json");
        if (!File.Exists(file))
        {
            return "unknown";
        }

        using var release = JsonDocument.Parse(File.ReadAllText(file));
        return release.RootElement.TryGetProperty("commit", out var commit) ? commit.GetString() ?? "unknown" : "unknown";
    }
}
