namespace Prodgy.Assistant;

/// <summary>What the assistant proposes. The same text always gets the same suggestion.</summary>
internal static class Suggestions
{
    public static string For(string text)
    {
        var sentence = text.Trim();
        return sentence.EndsWith('?') ? $"Ask the helper: {sentence}" : $"Ask the helper: What about {sentence}?";
    }
}
